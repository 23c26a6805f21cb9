//! English: names, TCP and TLS, as a browser meets them.

use crate::diagnosis::texts::Text;

pub(super) const DNS_FAILED: Text = Text {
    title: "the name does not resolve",
    meaning: "No address was found for {address}: {found}. Browsers that ask the same resolver cannot connect (1006, or \
              ERR_NAME_NOT_RESOLVED in the console).",
    see: "$ getent ahosts {name}\n\
          $ cat /etc/resolv.conf",
    remedy: "Mend the DNS record, or probe by address and keep the name for TLS alone:\n\
             | wss: {address: 127.0.0.1:8089, serverName: pbx.example.com}",
};

pub(super) const TCP_REFUSED: Text = Text {
    title: "nothing listens on the WSS port",
    meaning: "The connection to {address} was refused: browsers see 1006 at once. Asterisk is down, was started with a bad pair (it then \
              opens no TLS port at all), has TLS off or on another port, or this is another network namespace.",
    see: "$ ss -ltnp 'sport = :8089'\n\
          $ asterisk -rx 'http show status'",
    remedy: "Have http.conf open the port; if it already says all this, touch it, or Asterisk will not read it again. Then reload:\n\
             | [general]\n\
             | enabled = yes\n\
             | tlsenable = yes\n\
             | tlsbindaddr = 0.0.0.0:8089\n\
             | tlscertfile = /path/to/fullchain.pem\n\
             | tlsprivatekey = /path/to/privkey.pem\n\
             $ touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'\n\
             $ ss -ltn 'sport = :8089'",
};

pub(super) const TCP_TIMEOUT: Text = Text {
    title: "the WSS port does not answer",
    meaning: "Nothing came back from {address} in time: a firewall or security group drops the packets, the route is wrong, or Asterisk is \
              stopped. Browsers hang, then see 1006.",
    see: "$ timeout 5 openssl s_client -connect {address} </dev/null\n\
          $ ps -o pid,stat,args -C asterisk; ss -ltn 'sport = :8089'",
    remedy: "If it answers on Asterisk's own machine, let the port through on the way:\n\
             $ iptables -S | grep -E '8089|DROP|REJECT'\n\
             $ ufw allow 8089/tcp\n\
             In Kubernetes see the NetworkPolicies and the Service; in a cloud, the security group.\n\
             $ kubectl get networkpolicy,service,endpoints -A",
};

pub(super) const TCP_SOME_ADDRESSES: Text = Text {
    title: "some of the name's addresses take no connection",
    meaning: "DNS gives {name} several addresses, and not all of them answer: {found}. Browsers try the next one after a moment; clients that have only \
              that kind of address (IPv6 alone, IPv4 alone) see 1006.",
    see: "$ getent ahosts {name}\n\
          $ ss -ltn 'sport = :8089'",
    remedy: "Take the dead record out of DNS, or have Asterisk listen on all addresses, IPv6 too:\n\
             | [general]\n\
             | tlsbindaddr = [::]:8089\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_FAILED: Text = Text {
    title: "the port accepts TCP, and TLS fails",
    meaning: "{address} takes connections and no TLS session comes of it: {found}. That is how Asterisk looks after it tried to load a bad \
              pair: the old certificate is not kept, and every browser sees 1006. It may also be a port without TLS (8088).",
    see: "$ openssl s_client -connect {address} </dev/null\n\
          $ grep -E 'TLS/SSL|tcptls' /var/log/asterisk/messages* | tail\n\
          $ starkeeper check --cert /path/to/fullchain.pem --key /path/to/privkey.pem",
    remedy: "Mend the files first. Good files alone do not mend it: Asterisk must read http.conf again, so touch it and reload.\n\
             $ touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'",
};

pub(super) const TLS_CLEARTEXT: Text = Text {
    title: "the TLS port answers in cleartext",
    meaning: "{address} speaks plain HTTP where TLS belongs. The newest Asterisk releases do so after they tried to load a bad pair; or it is the \
              plain port (8088). Browsers see 1006 on wss://, and whoever speaks ws:// there is not protected.",
    see: "Any HTTP answer here is wrong:\n\
          $ curl -sS -m 3 -i http://{address}/ws\n\
          $ asterisk -rx 'http show status'",
    remedy: "Mend the files, then have http.conf read again, and look at the port:\n\
             $ starkeeper check --cert /path/to/fullchain.pem --key /path/to/privkey.pem\n\
             $ touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'\n\
             $ openssl s_client -connect {address} </dev/null | head -n 3\n\
             Or, where clients or the settings name the plain port, name the other one:\n\
             | wss: {address: 127.0.0.1:8089}",
};

pub(super) const TLS_SERVES_OTHER: Text = Text {
    title: "the port serves another certificate than the files hold",
    meaning: "Browsers at {address} get {found}, not {expected}. Either the reload did not happen, http.conf names other files, or somebody \
              else answers at that address (a proxy, a load balancer, another pod).",
    see: "The two must be equal:\n\
          $ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256\n\
          $ openssl x509 -in tls.crt -noout -fingerprint -sha256\n\
          $ grep -nE '^(tlscertfile|tlsprivatekey)' /etc/asterisk/http.conf",
    remedy: "If the paths are the same, reload by hand and compare again (\"reloaded successfully\" proves nothing).\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_UNTRUSTED: Text = Text {
    title: "browsers do not trust the certificate that is served",
    meaning: "TLS works at {address}, but the chain leads to {issuer}, whom browsers do not know: they close before the upgrade (1006), except \
              where users or policies have added that authority.",
    see: "$ openssl s_client -connect {address} </dev/null 2>/dev/null | grep -E 'issuer=|Verif'",
    remedy: "Serve a certificate of a public authority, or install the private root on every client and name it here:\n\
             | certificate:\n\
             |   trust: /etc/ssl/private-root.pem",
};

pub(super) const TLS_NAME_MISMATCH: Text = Text {
    title: "the served certificate is for other names",
    meaning: "Clients ask {address} for {name}, and the certificate does not cover it: browsers that use this name close before the upgrade \
              (1006, NET::ERR_CERT_COMMON_NAME_INVALID).",
    see: "$ openssl s_client -connect {address} -verify_hostname {name} </dev/null 2>/dev/null | grep Verif\n\
          $ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName",
    remedy: "Have a certificate issued that covers the name, or have clients use a name that is covered.\n\
             $ certbot certonly --cert-name CERT -d OTHERNAME -d {name}",
};

pub(super) const TLS_CHAIN_INCOMPLETE: Text = Text {
    title: "the server does not send an intermediate certificate",
    meaning: "What {address} sends ends at a certificate issued by {issuer}, who is missing. Some desktop browsers cope, others and phones see \
              1006: \"it works on my machine\".",
    see: "$ openssl s_client -connect {address} -showcerts </dev/null 2>/dev/null | grep -E ' s:| i:|Verif'",
    remedy: "Put the full chain into the file that `tlscertfile` names (`tlscafile` does not help); the agent then reloads.\n\
             $ cat leaf.pem intermediate.pem > /path/to/fullchain.pem",
};

pub(super) const TLS_EXPIRED: Text = Text {
    title: "the certificate that is served has expired",
    meaning: "What {address} serves ended on {notAfter}: every browser refuses it (1006). If the files are newer, Asterisk was never told; if \
              they are not, the renewal did not run.",
    see: "$ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -dates\n\
          $ openssl x509 -in tls.crt -noout -dates; date -u",
    remedy: "Renew, or reload if the files are already new.\n\
             $ certbot renew --cert-name NAME --force-renewal\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_OLD_ONLY: Text = Text {
    title: "the server speaks no TLS that browsers still do",
    meaning: "{address} opens with {found} and refuses TLS 1.2 and 1.3. Browsers gave 1.0 and 1.1 up in 2020: they end the handshake, 1006 \
              (ERR_SSL_VERSION_OR_CIPHER_MISMATCH).",
    see: "The second must succeed:\n\
          $ openssl s_client -connect {address} -tls1_1 -cipher DEFAULT@SECLEVEL=0 </dev/null 2>&1 | grep -E 'Protocol|alert'\n\
          $ openssl s_client -connect {address} -tls1_2 </dev/null 2>&1 | grep -E 'Protocol|alert'",
    remedy: "Allow TLS 1.2 in http.conf, under [general], or in the proxy that stands before Asterisk; very old OpenSSL needs an update.\n\
             | tlsdisablev12 = no\n\
             | tlsdisablev1 = yes\n\
             | tlsdisablev11 = yes\n\
             $ asterisk -rx 'module reload http'\n\
             nginx:\n\
             | ssl_protocols TLSv1.2 TLSv1.3;\n\
             $ nginx -t && nginx -s reload",
};

pub(super) const TLS_OLD_SUITES: Text = Text {
    title: "the server speaks TLS 1.2 with suites of old alone",
    meaning: "{address} speaks TLS 1.2 by {found}, and nothing newer. Of such suites Chromium still takes ECDHE-RSA in CBC mode, and RSA key exchange \
              where the certificate's key usage allows keyEncipherment or says nothing; it may give them up as it gave up TLS 1.1 (1006 from that day \
              on). Where this is an error, it refuses already what is spoken here: 1006. This program takes none of them, so that certificate, upgrade \
              and SIP could not be looked at.",
    see: "$ openssl s_client -connect {address} -tls1_2 </dev/null 2>/dev/null | grep -E 'Cipher|Verif'",
    remedy: "Allow suites of today, in http.conf under [general] (or leave `tlscipher` out), or in the proxy that stands before Asterisk:\n\
             | tlscipher = ECDHE+AESGCM:ECDHE+CHACHA20\n\
             $ touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'\n\
             nginx:\n\
             | ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;\n\
             $ nginx -t && nginx -s reload",
};

pub(super) const TLS_VALIDITY_TOO_LONG: Text = Text {
    title: "the certificate is valid for longer than browsers like",
    meaning: "What {address} serves is valid for {found}. Browsers take 398 days at most from public authorities, and Apple's devices 825 from private \
              ones: there it is refused (1006); desktop browsers take a private authority's.",
    see: "$ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -dates",
    remedy: "Issue it for 90 days or so, and let the renewal be automatic:\n\
             $ openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 90 -copy_extensions copy -out leaf.pem",
};

pub(super) const LISTENER_WEDGED: Text = Text {
    title: "Asterisk's TLS listener is stuck, with good files",
    meaning: "Certificate and key are good, and TLS at {address} fails all the same: Asterisk once tried a bad pair. Every further reload does \
              nothing, and says success, until http.conf or a file it includes changes on disk. Browsers see 1006; calls that are up live on.",
    see: "$ openssl s_client -connect {address} </dev/null\n\
          $ grep -n include /etc/asterisk/http.conf",
    remedy: "Add one line to http.conf, under [general]. It names a file that must not exist, and makes every later reload read http.conf \
             anew, so that this heals by itself (in a read-only ConfigMap too). No restart is needed.\n\
             $ printf '\\n#tryinclude starkeeper.absent\\n' >> /etc/asterisk/http.conf\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_CLIENT_CERTIFICATE: Text = Text {
    title: "the server asks for a certificate of the client",
    meaning: "{address} asks for a client certificate, be it only an optional one. Chromium lets nobody choose one for a WebSocket and ends the handshake: \
              1006, though pages of the same server may open. Asterisk never asks: a proxy does.",
    see: "$ openssl s_client -connect {address} </dev/null 2>/dev/null | grep -A3 'client certificate CA names'\n\
          $ nginx -T | grep -n ssl_verify_client",
    remedy: "Do not ask at the address of the WebSocket. nginx, in a `server` of its own:\n\
             | ssl_verify_client off;\n\
             $ nginx -t && nginx -s reload",
};
