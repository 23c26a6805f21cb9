//! What the client and Compose are told.

use super::{
    support::asterisk::Version,
    ward::{NAME, Row, Ward, row},
};

pub(crate) fn rows() -> Vec<Row> {
    let of_the_client = |code| row(code).on(Version::V22);
    vec![
        of_the_client("client-url-invalid").set(|ward| {
            ward.ask_from_outside(ward.asterisk.ports.wss, "/ws", &[]);
            ward.question.as_mut().unwrap()[0] = format!("https://{NAME}:{}/ws", ward.asterisk.ports.wss);
        }),
        of_the_client("client-url-no-path").set(|ward| ward.ask_from_outside(ward.asterisk.ports.wss, "", &[])),
        of_the_client("client-url-wrong-path").set(|ward| ward.ask_from_outside(ward.asterisk.ports.wss, "/sip", &[])),
        of_the_client("client-url-wrong-path").named("a prefix").build(|asterisk| asterisk.http("prefix=pbx")).set(|ward| {
            ward.ask_from_outside(ward.asterisk.ports.wss, "/ws", &[]);
        }),
        of_the_client("client-insecure-on-https").set(|ward| {
            ward.ask_from_outside(ward.asterisk.ports.wss, "/ws", &["--origin", "https://app.example.com"]);
            ward.question.as_mut().unwrap()[0] = format!("ws://{NAME}:{}/ws", ward.asterisk.ports.wss);
        }),
        of_the_client("client-name-not-covered").set(|ward| {
            let port = ward.asterisk.ports.wss;
            ward.ask_from_outside(port, "/ws", &[]);
            ward.question.as_mut().unwrap()[0] = format!("wss://127.0.0.1:{port}/ws");
        }),
        of_the_client("client-url-invalid").named("in an env file").set(|ward| {
            env_file(ward, "NEXT_PUBLIC_ASTERISK_HOST=https://pbx.example.com:8089\n", &["--offline"]);
        }),
        of_the_client("client-url-wrong-path").named("in an env file").set(|ward| {
            env_file(ward, "NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089\nNEXT_PUBLIC_WEBSOCKET_PATH=/sip\n", &["--offline"]);
        }),
        of_the_client("client-url-no-port").named("in an env file").set(|ward| {
            env_file(ward, "NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com\n", &["--offline"]);
        }),
        of_the_client("env-unparsable-line").set(|ward| {
            env_file(ward, "NEXT_PUBLIC_ASTERISK_HOST pbx.example.com:8089\n", &["--offline"]);
        }),
        of_the_client("compose-port-unpublished").set(|ward| {
            compose(ward, "services:\n  asterisk:\n    image: asterisk:22\n    volumes:\n      - ./tls:/tls:ro\n");
        }),
        of_the_client("compose-port-unpublished").named("another is").set(|ward| {
            compose(
                ward,
                "services:\n  asterisk:\n    image: asterisk:22\n    ports:\n      - \"8088:8088\"\n    volumes:\n      - ./tls:/tls:ro\n",
            );
        }),
        of_the_client("compose-volume-missing").set(|ward| {
            compose(ward, "services:\n  asterisk:\n    image: asterisk:22\n    ports:\n      - \"8089:8089\"\n");
        }),
    ]
}

fn env_file(ward: &mut Ward, text: &str, more: &[&str]) {
    ward.put(".env", text);
    let all = ["client", "--env-file", ".env"].iter().chain(more);
    ward.question = Some(all.map(|argument| (*argument).to_owned()).collect());
}

fn compose(ward: &mut Ward, text: &str) {
    ward.put("compose.yaml", text);
    let http = "[general]\ntlsenable=yes\ntlsbindaddr=0.0.0.0:8089\ntlscertfile=/tls/tls.crt\ntlsprivatekey=/tls/tls.key\n";
    ward.put("asterisk/http.conf", http);
    let more = ["--offline", "--compose", "compose.yaml", "--service", "asterisk", "--config-dir", "asterisk"];
    env_file(ward, "NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089\n", &more);
}
