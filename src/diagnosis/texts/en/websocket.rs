//! English: what happens after TLS, the upgrade and SIP over it.

use crate::diagnosis::texts::Text;

pub(super) const WS_NOT_FOUND: Text = Text {
    title: "there is no WebSocket at this path",
    meaning: "TLS works at {address} and the path gets a 404: Asterisk serves SIP at /ws only (below `prefix`, where http.conf sets one), and only \
              while res_http_websocket is loaded. Browsers see 1006.",
    see: "An open /ws answers a plain GET with 426:\n\
          $ curl -ksi -m 3 --http1.1 https://{address}/ws | head -n 1\n\
          $ asterisk -rx 'http show status'\n\
          $ asterisk -rx 'module show like res_http_websocket'",
    remedy: "Where `http show status` does not list /ws, load the module (and keep it in modules.conf); else use the path that it lists.\n\
             $ asterisk -rx 'module load res_http_websocket.so'\n\
             | wss: {path: /ws}",
};

pub(super) const WS_NOT_UPGRADED: Text = Text {
    title: "the server answers and does not upgrade",
    meaning: "TLS works at {address}, and the answer to the upgrade is {found} instead of 101. Something that is not Asterisk's /ws answers, or a \
              proxy drops the `Upgrade` header on the way. Browsers see 1006.",
    see: concat!(
        "An open door says 101 (Asterisk logs two ERROR lines when curl hangs up):\n",
        upgrade_by_hand!(),
        "\n$ asterisk -rx 'http show status'"
    ),
    remedy: "Have clients reach Asterisk itself, or have the proxy pass the upgrade on:\n\
             @ through",
};

pub(super) const WS_SUBPROTOCOL_REFUSED: Text = Text {
    title: "the WebSocket does not speak SIP",
    meaning: "The upgrade at {address} reached a WebSocket server that does not accept the subprotocol `sip`: nobody in Asterisk has registered \
              it. JsSIP cannot connect (1006).",
    see: concat!("$ asterisk -rx 'module show like websocket'\n", upgrade_by_hand!()),
    remedy: "Load PJSIP's WebSocket transport, and keep it in modules.conf:\n\
             $ asterisk -rx 'module load res_pjsip_transport_websocket.so'\n\
             | load = res_pjsip_transport_websocket.so",
};

pub(super) const WS_FORBIDDEN: Text = Text {
    title: "the WebSocket is forbidden",
    meaning: "{address} answers the upgrade with {found}. Asterisk's /ws asks for no login and looks at no Origin (and CORS does not apply to WebSockets), so somebody in front of it does: a \
              proxy, a web application firewall, an access rule. Browsers see 1006.",
    see: concat!("The `Server` header tells who answers:\n", upgrade_by_hand!()),
    remedy: "Take the rule for /ws out there, or send the Origin that it wants with the probe:\n\
             | wss: {origin: https://app.example.com}",
};

pub(super) const WS_PROXY_IN_THE_WAY: Text = Text {
    title: "a proxy does not let the WebSocket through",
    meaning: "At {address} a proxy stands before Asterisk, and it does not let the WebSocket through ({found}). Browsers see 1006 even while \
              Asterisk is well; and the certificate there is the proxy's, not the one in these files.",
    see: "$ curl -ksI -m 3 --http1.1 https://{address}/ws\n\
          $ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -subject -issuer",
    remedy: "Have the proxy pass the upgrade on:\n\
             @ through\n\
             And let the agent probe Asterisk itself:\n\
             | wss: {address: 127.0.0.1:8089}",
};

pub(super) const WS_REDIRECTED: Text = Text {
    title: "the WebSocket is redirected, which no browser follows",
    meaning: "{address} answers the upgrade with {found}. Browsers follow no redirect in a WebSocket handshake: they see 1006. What redirects is a proxy \
              or a web server before Asterisk.",
    see: concat!("The `Location` header tells where to:\n", upgrade_by_hand!()),
    remedy: "Let the client connect there at once (with wss:// and /ws), or have the proxy pass /ws on before it redirects (in Apache \
             `RewriteCond %{REQUEST_URI} !^/ws` keeps a RewriteRule off it):\n\
             @ through",
};

pub(super) const WS_CLOSED_EARLY: Text = Text {
    title: "the WebSocket closes right after it opens",
    meaning: "{address} accepted and then hung up: {found}. In the browser that is `connected`, followed by 1006. Asterisk was restarting, it could \
              not take one more session, or a proxy cuts the connection.",
    see: concat!("$ asterisk -rx 'core show uptime'\n$ tail -n 50 /var/log/asterisk/messages*\n", upgrade_by_hand!()),
    remedy: "If it goes on while Asterisk stays up, follow one connection in its console:\n\
             $ asterisk -rx 'core set debug 3 res_http_websocket.so'\n\
             $ asterisk -rx 'pjsip set logger on'\n\
             Behind a proxy, raise its idle timeout:\n\
             @ quiet",
};

pub(super) const WS_SESSION_LIMIT: Text = Text {
    title: "Asterisk has no HTTP session left",
    meaning: "TLS succeeds at {address} and the connection ends before any answer: `sessionlimit` (100 unless set) is used up. Every open WSS client \
              holds one session; whoever comes next sees 1006.",
    see: "$ ss -Htn state established '( sport = :8089 )' | wc -l\n\
          $ grep -n sessionlimit /etc/asterisk/http.conf",
    remedy: "Raise it in http.conf, under [general], above the number of clients:\n\
             | sessionlimit = 1000\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const WS_PING_UNANSWERED: Text = Text {
    title: "the WebSocket is open, and nobody answers",
    meaning: "{address} accepted the upgrade and did not answer a Ping in time: Asterisk is stuck, or something on the way holds dead connections \
              open. Registered clients look fine and get no calls.",
    see: "$ ss -tnpo state established '( sport = :8089 )'\n\
          $ asterisk -rx 'core show uptime'; asterisk -rx 'core show taskprocessors'",
    remedy: "If the console hangs too, restart Asterisk (this ends the calls):\n\
             $ systemctl restart asterisk\n\
             $ kubectl delete pod POD",
};

pub(super) const SIP_NO_ANSWER: Text = Text {
    title: "the WebSocket opens, and SIP stays silent",
    meaning: "/ws at {address} accepts `sip`, and a SIP request gets no answer: 101 does not prove that PJSIP is behind it. JsSIP connects, \
              then its registration times out.",
    see: "$ asterisk -rx 'module show like res_pjsip'\n\
          $ asterisk -rx 'pjsip set logger on'",
    remedy: "Load what is Not Running, first the transport:\n\
             $ asterisk -rx 'module load res_pjsip.so'\n\
             $ asterisk -rx 'module load res_pjsip_transport_websocket.so'",
};

pub(super) const SIP_OWNED_BY_CHAN_SIP: Text = Text {
    title: "chan_sip, not PJSIP, answers on the WebSocket",
    meaning: "On Asterisk 16 to 20 the old chan_sip, where it is loaded, takes the subprotocol `sip`; PJSIP's transport is then Not Running. /ws still \
              answers 101, JsSIP says `connected`, then `Rejected`.",
    see: "$ asterisk -rx 'module show like chan_sip'\n\
          $ asterisk -rx 'module show like res_pjsip_transport_websocket'",
    remedy: "Without a restart (calls over chan_sip end):\n\
             $ asterisk -rx 'module unload chan_sip.so'\n\
             $ asterisk -rx 'module load res_pjsip_transport_websocket.so'\n\
             For good, in modules.conf:\n\
             | noload = chan_sip.so\n\
             Or keep chan_sip for other phones, without WebSockets: in sip.conf, under [general], and both modules unloaded and loaded again.\n\
             | websocket_enabled = no",
};

pub(super) const SIP_AUTH_REJECTED: Text = Text {
    title: "SIP refuses the user's password",
    meaning: "The WebSocket is fine; Asterisk rejects the credentials of {user}. JsSIP reports `registrationFailed: Authentication Error`; the \
              socket stays open, so this is never the cause of a 1006.",
    see: "$ asterisk -rx 'pjsip show endpoint {user}'\n\
          $ asterisk -rx 'pjsip show auths'",
    remedy: "Make user name, password and realm the same in pjsip.conf and in the client:\n\
             | [{user}]\n\
             | type = auth\n\
             | auth_type = userpass\n\
             | username = {user}\n\
             | password = THE-PASSWORD\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const SIP_ENDPOINT_UNKNOWN: Text = Text {
    title: "Asterisk knows no endpoint of this name",
    meaning: "The WebSocket is fine; PJSIP has no endpoint {user}. The client gets 401 for ever, and Asterisk logs `No matching endpoint found`, \
              which fail2ban acts on.",
    see: "$ asterisk -rx 'pjsip show endpoints'",
    remedy: "Add it to pjsip.conf, with its auth and aor:\n\
             | [{user}]\n\
             | type = endpoint\n\
             | context = default\n\
             | disallow = all\n\
             | allow = opus,ulaw\n\
             | webrtc = yes\n\
             | auth = {user}\n\
             | aors = {user}\n\
             | [{user}]\n\
             | type = auth\n\
             | auth_type = userpass\n\
             | username = {user}\n\
             | password = THE-PASSWORD\n\
             | [{user}]\n\
             | type = aor\n\
             | max_contacts = 1\n\
             | remove_existing = yes\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const SIP_DIGEST_UNSUPPORTED: Text = Text {
    title: "SIP asks for a digest that JsSIP and SIP.js do not know",
    meaning: "The WebSocket is fine; Asterisk challenges {user} with {found}, and JsSIP answers the last challenge alone and only MD5. It gives up with \
              `registrationFailed: Authentication Error`, however right the password is, and SIP.js with 401. This is no 1006.",
    see: "The browser's console says `challenge with Digest algorithm different than \"MD5\"`.\n\
          $ asterisk -rx 'pjsip show auth {user}'\n\
          $ grep -nE 'supported_algorithms_uas|password_digest' /etc/asterisk/pjsip.conf",
    remedy: "Have MD5 alone, or last (and give its secret, where only another digest stands there), in pjsip.conf:\n\
             | [{user}]\n\
             | type = auth\n\
             | auth_type = digest\n\
             | username = {user}\n\
             | password = THE-PASSWORD\n\
             | supported_algorithms_uas = MD5\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const SIP_REFUSED: Text = Text {
    title: "SIP answers, and refuses to register",
    meaning: "The WebSocket is fine and SIP is behind it; the REGISTER of {user} gets {found}. JsSIP reports `registrationFailed`; the socket stays open, \
              so this is never the cause of a 1006.",
    see: "$ asterisk -rx 'pjsip show endpoint {user}'\n\
          $ asterisk -rx 'pjsip set logger on'",
    remedy: "Follow one registration in Asterisk's console; its log says why. Modules that must run:\n\
             $ asterisk -rx 'module load res_pjsip_registrar.so'\n\
             $ asterisk -rx 'module load res_pjsip_authenticator_digest.so'",
};
