//! English: the browser's side, and what lies between.

use crate::diagnosis::texts::Text;

pub(super) const CLIENT_URL_INVALID: Text = Text {
    title: "the client's address is none that JsSIP takes",
    meaning: "The client connects to {found}: {reason}. JsSIP takes ws:// and wss:// alone and throws `TypeError: Invalid argument: url`; nothing is sent.",
    see: "The browser's console shows the error. This must answer 426:\n\
          $ curl -ksi -m 3 --http1.1 https://pbx.example.com:8089/ws | head -n 1",
    remedy: "In the client (JsSIP; in SIP.js it is `transportOptions.server`):\n\
             | new JsSIP.WebSocketInterface('{url}')",
};

pub(super) const CLIENT_URL_NO_PATH: Text = Text {
    title: "the client's address lacks the path /ws",
    meaning: "The client connects to {found}, that is to `/`, where Asterisk answers 404: the browser sees 1006. The WebSocket is at /ws only.",
    see: "404 at the root, 426 at the right path:\n\
          $ curl -ksi -m 3 --http1.1 https://{address}/ | head -n 1\n\
          $ curl -ksi -m 3 --http1.1 https://{address}/ws | head -n 1",
    remedy: "In the client (JsSIP; in SIP.js it is `transportOptions.server`):\n\
             | new JsSIP.WebSocketInterface('{url}')",
};

pub(super) const CLIENT_URL_WRONG_PATH: Text = Text {
    title: "the client's address has another path than /ws",
    meaning: "The client connects to {found}, and the WebSocket is at {expected}. Any other path gets 404, and the browser sees 1006.",
    see: "$ asterisk -rx 'http show status' | grep -E 'Prefix|/ws'\n\
          $ curl -ksi -m 3 --http1.1 https://{address}/ws | head -n 1",
    remedy: "In the client (JsSIP; in SIP.js it is `transportOptions.server`); with a `prefix` in http.conf, put it before /ws:\n\
             | new JsSIP.WebSocketInterface('{url}')",
};

pub(super) const CLIENT_URL_NO_PORT: Text = Text {
    title: "the client's address lacks the port",
    meaning: "Without a port wss:// means 443, and Asterisk listens on {expected}. The browser reaches a web server or nothing: 1006.",
    see: "$ asterisk -rx 'http show status' | grep HTTPS\n\
          $ ss -ltnp | grep -E ':443 |:8089 '",
    remedy: "In the client (JsSIP; in SIP.js it is `transportOptions.server`):\n\
             | new JsSIP.WebSocketInterface('{url}')",
};

pub(super) const CLIENT_INSECURE_ON_HTTPS: Text = Text {
    title: "a page on https:// may not use ws://",
    meaning: "The client connects to {found} from a page that came over HTTPS. Browsers block that as mixed content before a packet leaves; \
              nothing appears in Asterisk's log.",
    see: "The browser's console says `Mixed Content`. This must answer 426:\n\
          $ curl -si -m 3 --http1.1 https://pbx.example.com:8089/ws | head -n 1",
    remedy: "In the client (JsSIP; in SIP.js it is `transportOptions.server`):\n\
             | new JsSIP.WebSocketInterface('{url}')",
};

pub(super) const CLIENT_NAME_NOT_COVERED: Text = Text {
    title: "the certificate does not cover the client's host",
    meaning: "The client connects to {name}, an address that the certificate is not for: the browser closes before the upgrade (1006), also where the \
              server is reached by its IP address or an internal name.",
    see: "$ openssl s_client -connect {address} -verify_hostname {name} </dev/null 2>/dev/null | grep Verif\n\
          $ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName",
    remedy: "Use a covered name in the client (JsSIP; in SIP.js it is `transportOptions.server`):\n\
             | new JsSIP.WebSocketInterface('{url}')\n\
             Or have a certificate issued for this one:\n\
             $ certbot certonly --cert-name CERT -d OTHERNAME -d {name}",
};

pub(super) const ENV_UNPARSABLE_LINE: Text = Text {
    title: "a line of the env file says nothing",
    meaning: "{file}, line {line}: {reason}. The front end is built without what the line was meant to say, and passes over it in silence.",
    see: "$ grep -nvE '^(#|$|(export )?[A-Za-z_][A-Za-z0-9_.-]*=)' {file}",
    remedy: "Write it as NAME=value, with quotes around values that hold spaces or a #; then build the front end again, since NEXT_PUBLIC_ variables are \
             fixed in it:\n\
             | NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089",
};

pub(super) const COMPOSE_PORT_UNPUBLISHED: Text = Text {
    title: "Compose does not publish the WSS port",
    meaning: "The service in {file} publishes no port {port}: Asterisk listens inside its container, and browsers outside get connection refused, 1006.",
    see: "$ docker compose ps\n\
          $ ss -ltn 'sport = :8089'",
    remedy: "In {file}, in Asterisk's service:\n\
             | ports:\n\
             |   - \"{ports}\"\n\
             $ docker compose up -d",
};

pub(super) const COMPOSE_VOLUME_MISSING: Text = Text {
    title: "Compose does not mount the certificate's folder",
    meaning: "http.conf names files under {path}, and {file} mounts nothing there: inside the container they do not exist, and the TLS listener fails (1006).",
    see: "$ docker compose config | grep -A6 volumes\n\
          $ docker compose exec asterisk grep -E '^tls' /etc/asterisk/http.conf",
    remedy: "In {file}, in Asterisk's service. Mount the directory, not single files, which would stay the old ones after a rename:\n\
             | volumes:\n\
             |   - ./tls:{folder}:ro\n\
             $ docker compose up -d",
};
