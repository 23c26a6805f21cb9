//! English: Asterisk's own files.

use super::websocket::SIP_OWNED_BY_CHAN_SIP;
use crate::diagnosis::texts::Text;

pub(super) const CONF_CONFLICT: Text = Text {
    title: "what stands in the file is in the way",
    meaning: "`starkeeper configure` only adds lines, and this cannot be added to {file}: {reason}. Whoever wrote what stands there may have \
              had a reason, so it is not changed, and nothing was written.",
    see: "$ grep -nE '^ *[^; ]' {file}",
    remedy: "Change the place by hand so that it says what is expected, or leave the wish out; then look again:\n\
             $ starkeeper configure",
};

pub(super) const CONF_UNPARSABLE_LINE: Text = Text {
    title: "Asterisk cannot parse a line of its configuration",
    meaning: "Line {line} of {file} is neither a section, a setting nor a directive. Asterisk skips a line without `=` with a warning, and refuses \
              the whole file for a `[` that is never closed: a reload then keeps the old settings, and a restart has none.",
    see: "$ sed -n {line}p {file}\n\
          $ grep -E 'parse error|equal sign' /var/log/asterisk/messages*",
    remedy: "Mend the line, or make it a comment:\n\
             $ sed -i '{line}s/^/;/' {file}",
};

pub(super) const HTTP_DISABLED: Text = Text {
    title: "Asterisk's HTTP server is not enabled",
    meaning: "http.conf does not say `enabled = yes`. The plain port is closed and `http show status` says `Server Disabled`; with `tlsenable = yes` \
              Asterisk 16 and 22 open the TLS port all the same, but then the console hides it.",
    see: "$ asterisk -rx 'http show status'\n\
          $ ss -ltn 'sport = :8089'\n\
          $ grep -n enabled /etc/asterisk/http.conf",
    remedy: "In {file}:\n\
             | [general]\n\
             | enabled = yes\n\
             | bindaddr = 127.0.0.1\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_DISABLED: Text = Text {
    title: "Asterisk's HTTPS listener is not enabled",
    meaning: "http.conf does not say `tlsenable = yes`: nothing listens on 8089 and wss:// gets 1006 at once. The transport in pjsip.conf does not \
              open that port, whatever its `bind` says. Where a proxy ends TLS before Asterisk and passes on to 8088, this is as it should be: \
              then name the proxy in `wss.address`, or ask at the address that browsers use.",
    see: "$ asterisk -rx 'http show status' | grep HTTPS\n\
          $ ss -ltn 'sport = :8089'\n\
          $ starkeeper doctor wss://NAME/ws",
    remedy: "In {file}:\n\
             | [general]\n\
             | enabled = yes\n\
             | tlsenable = yes\n\
             | tlsbindaddr = 0.0.0.0:8089\n\
             | tlscertfile = /path/to/fullchain.pem\n\
             | tlsprivatekey = /path/to/privkey.pem\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_BIND_MISSING: Text = Text {
    title: "http.conf does not say where HTTPS listens",
    meaning: "There is no `tlsbindaddr`. Asterisk then takes the address of `bindaddr` with port 8089, and where that is missing too it opens no TLS \
              port at all: 1006.",
    see: "$ grep -nE '^ *(tls)?bindaddr' /etc/asterisk/http.conf\n\
          $ ss -ltnp 'sport = :8089'",
    remedy: "In {file}, under [general]:\n\
             | tlsbindaddr = 0.0.0.0:8089\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_BIND_LOOPBACK: Text = Text {
    title: "HTTPS listens on the loopback only",
    meaning: "`tlsbindaddr` is {found}: only this machine (or pod) reaches it. Right behind a proxy that runs here; browsers elsewhere get \
              connection refused, 1006.",
    see: "$ ss -ltnp 'sport = :8089'",
    remedy: "If browsers connect directly, in {file}:\n\
             | tlsbindaddr = 0.0.0.0:8089\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_PATHS_MISSING: Text = Text {
    title: "http.conf names no certificate",
    meaning: "`tlscertfile` is not set, so Asterisk looks for `asterisk.pem`, finds none and fails every TLS handshake (1006). Options in pjsip.conf \
              do not replace it: WSS takes its certificate from http.conf alone.",
    see: "$ grep -nE '^ *tls(certfile|privatekey)' /etc/asterisk/http.conf\n\
          $ grep 'error loading cert' /var/log/asterisk/messages*",
    remedy: "In {file}, under [general]:\n\
             | tlscertfile = /path/to/fullchain.pem\n\
             | tlsprivatekey = /path/to/privkey.pem\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const PORT_HELD_BY_OTHER: Text = Text {
    title: "another program listens at Asterisk's port",
    meaning: "{found} listens at {address}. Asterisk could not bind port {port}, said so once in its log and runs on without it: browsers meet the other \
              program, and see 1006.",
    see: "$ ss -ltnp 'sport = :{port}'\n\
          $ asterisk -rx 'http show status' | grep HTTPS",
    remedy: "Stop the other program (and keep it from starting), or give Asterisk another port in http.conf and the clients, too; then let Asterisk try again:\n\
             $ kill {pid}\n\
             $ touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'",
};

pub(super) const HTTP_PREFIX_SET: Text = Text {
    title: "http.conf sets a prefix",
    meaning: "`prefix` is {found}, so the WebSocket is at that prefix followed by /ws, and plain /ws gets 404. Nothing is wrong as long as \
              clients use the longer path.",
    see: "$ asterisk -rx 'http show status' | grep -E 'Prefix|/ws'",
    remedy: "Have clients use the whole path, or take the line `prefix` out of {file}:\n\
             | wss://NAME:8089/PREFIX/ws\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const WSS_TRANSPORT_MISSING: Text = Text {
    title: "pjsip.conf has no wss transport",
    meaning: "No section of pjsip.conf is a transport with `protocol = wss`. The upgrade still succeeds (101 does not need it), but an endpoint that \
              says `transport = …` has nothing to refer to, and PJSIP's part is not set up as its documentation asks.",
    see: "$ asterisk -rx 'pjsip show transports'",
    remedy: "In pjsip.conf. The port comes from http.conf, and so does the certificate:\n\
             | [transport-wss]\n\
             | type = transport\n\
             | protocol = wss\n\
             | bind = 0.0.0.0\n\
             $ asterisk -rx 'module reload res_pjsip.so'; asterisk -rx 'pjsip show transports'",
};

pub(super) const WSS_TRANSPORT_CERT_IGNORED: Text = Text {
    title: "certificate options on a wss transport are ignored",
    meaning: "[{section}] in {file} sets a certificate or key, and Asterisk ignores that with a warning: WSS takes its certificate from http.conf alone. \
              Whoever renews only this one waits for ever for a change on 8089.",
    see: "$ grep -nE '^ *(cert_file|priv_key_file)' {file}\n\
          $ grep -nE '^ *tls(certfile|privatekey)' /etc/asterisk/http.conf",
    remedy: "Take the lines out there, and name the files in http.conf:\n\
             | tlscertfile = /path/to/fullchain.pem\n\
             | tlsprivatekey = /path/to/privkey.pem\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const ENDPOINT_NOT_WEBRTC: Text = Text {
    title: "the endpoint is not set up for WebRTC",
    meaning: "[{section}] lacks `webrtc = yes`. The browser registers, and its calls fail: it insists on DTLS-SRTP, ICE and rtcp-mux, \
              which this option turns on.",
    see: "$ asterisk -rx 'pjsip show endpoint {section}' | grep -E 'webrtc|dtls|ice|avpf|mux'",
    remedy: "In {file}, in the endpoint (res_srtp must be loaded too):\n\
             | {prefix}webrtc = yes\n\
             $ asterisk -rx 'module reload res_pjsip.so'; asterisk -rx 'module show like res_srtp'",
};

pub(super) const ENDPOINT_TRANSPORT_UNKNOWN: Text = Text {
    title: "the endpoint names a transport that does not exist",
    meaning: "[{section}] says `transport = {found}`, and no transport of that name exists. Requests to the endpoint cannot be sent; the \
              browser may register and never ring.",
    see: "$ asterisk -rx 'pjsip show transports'\n\
          $ asterisk -rx 'pjsip show endpoint {section}'",
    remedy: "In {file}, name one that exists, or leave the option out: a WebSocket's own connection is used.\n\
             | transport = transport-wss\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const ENDPOINT_AUTH_MISSING: Text = Text {
    title: "the endpoint's auth section does not exist",
    meaning: "[{section}] refers to an auth section that is not there ({found}): no password can be right, and JsSIP reports \
              `registrationFailed`.",
    see: "$ asterisk -rx 'pjsip show endpoint {section}'\n\
          $ asterisk -rx 'pjsip show auths'",
    remedy: "In {file}, beside the endpoint, with `auth = {section}` in the endpoint:\n\
             | [{section}]\n\
             | type = auth\n\
             | auth_type = userpass\n\
             | username = {section}\n\
             | password = A-LONG-RANDOM-SECRET\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const ENDPOINT_AOR_MISSING: Text = Text {
    title: "the endpoint's aor section does not exist",
    meaning: "[{section}] refers to an address of record that is not there ({found}): the client has nowhere to register, gets an error \
              (404 or 403) and is never called.",
    see: "$ asterisk -rx 'pjsip show endpoint {section}'\n\
          $ asterisk -rx 'pjsip show aors'",
    remedy: "In {file}, of the same name as the user who registers, with `aors = {section}` in the endpoint:\n\
             | [{section}]\n\
             | type = aor\n\
             | max_contacts = 1\n\
             | remove_existing = yes\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const AOR_NO_CONTACTS: Text = Text {
    title: "the aor allows no registration",
    meaning: "[{section}] has no `max_contacts` (the default is 0): every REGISTER is answered 403. The WebSocket is fine; JsSIP reports \
              `registrationFailed: Rejected`.",
    see: "$ asterisk -rx 'pjsip show aor {section}'",
    remedy: "In {file}, in the aor:\n\
             | {prefix}max_contacts = 1\n\
             | {prefix}remove_existing = yes\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const CODEC_MODULE_MISSING: Text = Text {
    title: "a codec is allowed that Asterisk cannot translate",
    meaning: "The endpoint allows {found}, and no module that translates it is loaded. Two browsers can still talk to each other; a call to a \
              phone, a queue's music or a recording is silent or fails.",
    see: "$ asterisk -rx 'core show translation paths opus'\n\
          $ asterisk -rx 'module show like codec_'",
    remedy: "Install and load the module, or allow a codec that every browser has (ulaw, alaw):\n\
             $ asterisk -rx 'module load codec_opus.so'\n\
             | allow = opus,ulaw",
};

pub(super) const RTP_ICE_DISABLED: Text = Text {
    title: "ICE is turned off for every call",
    meaning: "rtp.conf says `icesupport = {found}`, and no endpoint's `ice_support` or `webrtc` turns it on again. Browsers register, and their \
              calls are set up and stay silent: without ICE they send no voice.",
    see: "$ asterisk -rx 'rtp show settings' | grep ICE",
    remedy: "In {file}, under [general]:\n\
             | icesupport = yes\n\
             $ asterisk -rx 'module reload res_rtp_asterisk.so'; asterisk -rx 'rtp show settings'",
};

pub(super) const MODULE_NOT_RUNNING: Text = Text {
    title: "a needed module is not running",
    meaning: "{module} is not loaded, or is loaded and Not Running. What WSS needs: res_http_websocket, res_pjsip, \
              res_pjsip_transport_websocket, and for the voice res_srtp and res_rtp_asterisk.",
    see: "$ asterisk -rx 'module show like {module}'\n\
          $ grep -F {module} /var/log/asterisk/messages*",
    remedy: "Load it and read what it says; a module that it depends on may be missing.\n\
             $ asterisk -rx 'module load {module}'",
};

pub(super) const MODULE_NOLOAD: Text = Text {
    title: "modules.conf bars a needed module",
    meaning: "{file} does not let Asterisk load {module} ({found}), so it is missing after every start, and with it browsers' connections or \
              their voice.",
    see: "$ grep -nE '^ *(noload|load|autoload)' {file}",
    remedy: "In {file}, put this line in place of its `noload`, or beside the others where `autoload = no`; then load the module now:\n\
             | load = {module}\n\
             $ asterisk -rx 'module load {module}'",
};

pub(super) const CHAN_SIP_CONFLICT: Text = Text {
    title: "chan_sip is loaded beside PJSIP",
    meaning: "Where both are loaded, chan_sip takes the WebSocket's subprotocol `sip`, and PJSIP's transport does not run: /ws answers 101, JsSIP \
              connects, and its registration is rejected.",
    see: SIP_OWNED_BY_CHAN_SIP.see,
    remedy: SIP_OWNED_BY_CHAN_SIP.remedy,
};

pub(super) const CANNOT_HEAL: Text = Text {
    title: "a reload does not heal a stuck listener here",
    meaning: "Once Asterisk has tried a bad pair (a restart during a rotation is enough), good files and a reload do not bring WSS back, since Asterisk \
              reads http.conf again only when it has changed on disk. Until then nothing is broken.",
    see: "$ grep -n include {file}",
    remedy: "Add one line to http.conf, under [general]; the file that it names must not exist. Every reload then reads http.conf anew. The same line \
             in manager.conf does it for AMI over TLS.\n\
             | #tryinclude starkeeper.absent\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const CONFIG_DIFFERS: Text = Text {
    title: "the Asterisk behind AMI has another http.conf",
    meaning: "{file} says `{expected}`; in the http.conf of the Asterisk that answers at {address} it is `{found}`. Either the agent reads an old or \
              foreign copy (a `subPath` is never updated), or another Asterisk answered, as happens with `hostNetwork`. What is watched, reloaded \
              and proved may then not be what browsers use.",
    see: "$ grep -nE '^ *(tls|ssl|prefix)' {file}\n\
          $ asterisk -rx 'core show settings' | grep -i 'configuration directory'\n\
          $ ss -ltnp | grep -E ':(5038|8089) '",
    remedy: "Mount one folder, as a whole, into both containers:\n\
             | volumeMounts:\n\
             |   - {name: config, mountPath: /etc/asterisk}\n\
             With `hostNetwork` give each Asterisk of a node ports of its own, in manager.conf and http.conf:\n\
             | port = 5138\n\
             | tlsbindaddr = 0.0.0.0:8189",
};

pub(super) const SESSION_LIMIT_LOW: Text = Text {
    title: "few HTTP sessions are allowed",
    meaning: "`sessionlimit` is {found}, and every browser that is connected holds one session. The client after the last one passes TLS and is hung up \
              on (1006).",
    see: "$ grep -n sessionlimit /etc/asterisk/http.conf\n\
          $ ss -Htn state established '( sport = :8089 )' | wc -l",
    remedy: "In {file}, under [general], above the number of clients:\n\
             | sessionlimit = 1000\n\
             $ asterisk -rx 'module reload http'",
};
