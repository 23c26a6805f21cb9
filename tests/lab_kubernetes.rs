//! The Kubernetes lab itself: an API server that is real, alone with its port and folder, can be away for a while, and leaves nothing
//! behind.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{fs, net::TcpStream};

use support::apiserver::ApiServer;

#[test]
fn an_api_server_judges_by_roles_keeps_its_objects_while_it_is_away_and_leaves_nothing_behind() {
    let mut server = ApiServer::start();
    assert!(server.kubectl(&["version"]).contains("Server Version: v1.36.3"));
    server.namespace("here");
    server.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: tls, namespace: here}\nstringData: {tls.crt: a}\n");

    let account = server.service_account("here", "agent");
    let token = fs::read_to_string(account.join("token")).unwrap();
    assert_eq!(fs::read_to_string(account.join("namespace")).unwrap(), "here");
    let ca = account.join("ca.crt");
    let as_agent = |server: &ApiServer| {
        let words = ["--kubeconfig=/dev/null", &format!("--server={}", server.url()), &format!("--certificate-authority={}", ca.display())];
        server.try_kubectl(&[words.as_slice(), &[&format!("--token={token}"), "-n", "here", "get", "secret", "tls"]].concat())
    };
    let refused = as_agent(&server).unwrap_err();
    let who = "User \"system:serviceaccount:here:agent\" cannot get resource \"secrets\"";
    assert!(refused.contains(who), "{refused}");
    server.kubectl(&["-n", "here", "create", "role", "reader", "--verb=get", "--resource=secrets"]);
    server.kubectl(&["-n", "here", "create", "rolebinding", "reader", "--role=reader", "--serviceaccount=here:agent"]);
    support::until(std::time::Duration::from_secs(30), "the role to count", || as_agent(&server).is_ok());

    server.pause();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
    server.resume();
    assert!(as_agent(&server).is_ok());

    let (port, folder) = (server.port(), server.ca_file().parent().unwrap().to_owned());
    drop(server);
    assert!(!folder.exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
