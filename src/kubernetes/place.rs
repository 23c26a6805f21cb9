//! The environment and the service account's folder → [`Place`]: which pod this is, and where the API server is. Pure. `None` outside a
//! cluster, and where no token is mounted.

use std::{
    io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::settings::SERVICE_ACCOUNT;

/// Where the agent runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of the API server: a name or an IP address.
    pub host: String,
    /// Of the API server.
    pub port: u16,
    /// Where `token` and `ca.crt` are.
    pub folder: PathBuf,
    /// The agent's own pod.
    pub pod: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The agent's own container, where somebody names it.
    pub container: Option<String>,
    /// The service account, where the token names it.
    pub account: Option<String>,
}

impl Place {
    /// Where this is, if it is in a cluster and the pod has a token.
    pub fn find(environment: &dyn Fn(&str) -> Option<String>, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Option<Self> {
        let said = |name: &str| environment(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let host = said("KUBERNETES_SERVICE_HOST")?;
        let port = said("KUBERNETES_SERVICE_PORT").and_then(|port| port.parse().ok()).unwrap_or(443);
        let folder = said("STARKEEPER_SERVICE_ACCOUNT").map_or_else(|| PathBuf::from(SERVICE_ACCOUNT), PathBuf::from);
        let text = |name: &str| read(&folder.join(name)).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let token = text("token")?;
        let pod = said("STARKEEPER_POD_NAME").or_else(|| said("POD_NAME")).or_else(|| said("HOSTNAME"))?;
        let namespace = said("STARKEEPER_POD_NAMESPACE").or_else(|| said("POD_NAMESPACE"));
        let namespace = namespace.or_else(|| text("namespace").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))?;
        Some(Place { host, port, account: account(&token), folder, pod, namespace, container: said("STARKEEPER_CONTAINER") })
    }

    /// `host:port` as it stands in a request.
    pub fn authority(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }

    /// The path of an object, or of a list of them, in the pod's own namespace.
    pub fn path(&self, group: &str, resource: &str, name: Option<&str>) -> String {
        let root = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/v1") };
        let name = name.map(|name| format!("/{name}")).unwrap_or_default();
        format!("{root}/namespaces/{}/{resource}{name}", self.namespace)
    }
}

/// The last part of `sub`, as in `system:serviceaccount:NAMESPACE:NAME`. For people to read; nothing is decided by it.
fn account(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.trim().split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    claims["sub"].as_str()?.strip_prefix("system:serviceaccount:")?.split(':').nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

    fn find(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Option<Place> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        let files: HashMap<_, _> = files.iter().map(|(path, text)| (PathBuf::from(path), *text)).collect();
        Place::find(&|name| variables.get(name).map(|value| (*value).to_owned()), &|path| {
            files.get(path).map(|text| text.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }

    #[test]
    fn outside_a_cluster_or_without_a_token_there_is_no_place() {
        let token = (&*format!("{FOLDER}/token"), "t");
        assert_eq!(find(&[("POD_NAME", "p"), ("POD_NAMESPACE", "n")], &[token]), None);
        assert_eq!(find(&[("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("POD_NAME", "p"), ("POD_NAMESPACE", "n")], &[]), None);
        assert_eq!(find(&[("KUBERNETES_SERVICE_HOST", ""), ("POD_NAME", "p"), ("POD_NAMESPACE", "n")], &[token]), None);
    }

    #[test]
    fn the_pod_is_named_by_our_own_variables_first_and_by_the_host_last() {
        let token = format!("{FOLDER}/token");
        let namespace = format!("{FOLDER}/namespace");
        // {"sub":"system:serviceaccount:voip:pbx"}
        let jwt = "e30.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6dm9pcDpwYngifQ.c2ln";
        let files = [(token.as_str(), jwt), (namespace.as_str(), "voip\n")];
        let host = [("KUBERNETES_SERVICE_HOST", "fd00::1"), ("KUBERNETES_SERVICE_PORT", "6443"), ("HOSTNAME", "pbx-0")];
        let place = find(&host, &files).unwrap();
        assert_eq!((place.pod.as_str(), place.namespace.as_str(), place.account.as_deref()), ("pbx-0", "voip", Some("pbx")));
        assert_eq!(place.authority(), "[fd00::1]:6443");
        let named = [host.as_slice(), &[("POD_NAME", "pbx-1"), ("POD_NAMESPACE", "calls"), ("STARKEEPER_POD_NAME", "pbx-2")]].concat();
        let place = find(&named, &files).unwrap();
        assert_eq!((place.pod.as_str(), place.namespace.as_str()), ("pbx-2", "calls"));
        assert_eq!(place.path("events.k8s.io", "events", None), "/apis/events.k8s.io/v1/namespaces/calls/events");
        assert_eq!(place.path("", "pods", Some("pbx-2")), "/api/v1/namespaces/calls/pods/pbx-2");
    }
}
