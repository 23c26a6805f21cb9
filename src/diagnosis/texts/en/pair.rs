//! English: the certificate and its key, as files.

use crate::diagnosis::texts::Text;

pub(super) const CERT_MISSING: Text = Text {
    title: "the certificate file does not exist",
    meaning: "There is nothing at {file}. What Asterisk serves now stays up, but with the next reload or restart TLS would not start and \
              every browser would see 1006 (the WebSocket closed before it opened).",
    see: "$ ls -lL {file}\n\
          $ kubectl exec POD -c asterisk -- ls -lL {file}",
    remedy: "Put the certificate there, the leaf first and the intermediates after it, or name the right path in `certificate.cert` (or \
             in `tlscertfile` of http.conf). In Kubernetes the Secret must have the key tls.crt and be mounted as a whole directory.\n\
             $ cp /etc/letsencrypt/live/NAME/fullchain.pem {file}",
};

pub(super) const CERT_UNREADABLE: Text = Text {
    title: "the certificate file cannot be read",
    meaning: "{file} exists, but the account that must read it may not: {reason}. Asterisk would lose its TLS listener at the next \
              reload; browsers would see 1006. It is enough that one directory on the way bars the account.",
    see: "$ namei -l {file}\n\
          $ ps -o user=,group= -C asterisk",
    remedy: "Let Asterisk's group read the file and enter the directories.\n\
             $ chgrp asterisk {file} && chmod 0644 {file}\n\
             In Kubernetes a Secret comes with the group of `fsGroup`, which `defaultMode` must let read:\n\
             | securityContext:\n\
             |   fsGroup: 102\n\
             | volumes:\n\
             |   - {name: tls, secret: {secretName: tls, defaultMode: 0440}}\n\
             In staged mode it is `certificate.publish` that says who may read what is published: `gid` and `mode`.",
};

pub(super) const CERT_EMPTY: Text = Text {
    title: "the certificate file is empty",
    meaning: "{file} has no content, as after a failed copy or a full disk. Loading it would take WSS down: the port would accept TCP \
              and every TLS handshake would die (1006 in the browser).",
    see: "$ ls -lL {file}\n\
          $ df -h {file}",
    remedy: "Write the certificate again.\n\
             $ cp /etc/letsencrypt/live/NAME/fullchain.pem {file}",
};

pub(super) const CERT_NOT_PEM: Text = Text {
    title: "the certificate file holds no PEM certificate",
    meaning: "Nothing in {file} is a readable `-----BEGIN CERTIFICATE-----` block. Asterisk reads PEM only, and would go dark on it.",
    see: "$ head -c 80 {file}\n\
          $ openssl x509 -in {file} -noout -subject",
    remedy: "Write the certificate in PEM form. From a PKCS#12 file (.pfx, .p12):\n\
             $ openssl pkcs12 -in FILE.p12 -nokeys -out {file}",
};

pub(super) const CERT_IS_DER: Text = Text {
    title: "the certificate is DER, and Asterisk reads PEM",
    meaning: "{file} is a certificate in binary form (.cer, .der). Asterisk's listener would fail to load it, and browsers would see 1006.",
    see: "$ openssl x509 -inform DER -in {file} -noout -subject -dates",
    remedy: "Convert it, then add the intermediates after it.\n\
             $ openssl x509 -inform DER -in {file} -out {file}.pem && cat intermediate.pem >> {file}.pem\n\
             $ mv {file}.pem {file}",
};

pub(super) const CERT_IS_KEY: Text = Text {
    title: "the certificate file holds a private key instead",
    meaning: "{file} is configured as the certificate and holds only a private key: most often the two paths are swapped. Asterisk would \
              go dark on it.",
    see: "$ grep -- -----BEGIN {file}\n\
          $ grep -nE '^(tlscertfile|tlsprivatekey)' /etc/asterisk/http.conf",
    remedy: "Name each file where it belongs, in http.conf and in the settings alike.\n\
             | tlscertfile = /path/to/fullchain.pem\n\
             | tlsprivatekey = /path/to/privkey.pem",
};

pub(super) const KEY_MISSING: Text = Text {
    title: "the private key file does not exist",
    meaning: "There is nothing at {file}. What Asterisk serves now stays up, but with the next reload or restart TLS would not start: 1006 \
              for every browser.",
    see: "$ ls -lL {file}\n\
          $ kubectl exec POD -c asterisk -- ls -lL {file}",
    remedy: "Put the key there, or name the right path in `certificate.key` (or in `tlsprivatekey` of http.conf). In Kubernetes the \
             Secret must have the key tls.key.\n\
             $ install -m 0640 -g asterisk /etc/letsencrypt/live/NAME/privkey.pem {file}",
};

pub(super) const KEY_UNREADABLE: Text = Text {
    title: "the private key file cannot be read",
    meaning: "{file} exists, but the account that must read it may not: {reason}. Typical after a renewal that wrote the key as root with \
              mode 0600. Asterisk would lose its TLS listener at the next reload; browsers would see 1006.",
    see: "$ namei -l {file}\n\
          $ ps -o user=,group= -C asterisk",
    remedy: "Let Asterisk's group, and nobody else, read the key.\n\
             $ chgrp asterisk {file} && chmod 0640 {file}\n\
             In Kubernetes a Secret comes with the group of `fsGroup`, which `defaultMode` must let read:\n\
             | securityContext:\n\
             |   fsGroup: 102\n\
             | volumes:\n\
             |   - {name: tls, secret: {secretName: tls, defaultMode: 0440}}\n\
             In staged mode it is `certificate.publish` that says who may read what is published: `gid` and `mode`.",
};

pub(super) const KEY_EMPTY: Text = Text {
    title: "the private key file is empty",
    meaning: "{file} has no content. Loading it would take WSS down: TCP connects, every TLS handshake dies, browsers see 1006.",
    see: "$ ls -lL {file}\n\
          $ df -h {file}",
    remedy: "Write the key again.\n\
             $ install -m 0640 -g asterisk /etc/letsencrypt/live/NAME/privkey.pem {file}",
};

pub(super) const KEY_NOT_PEM: Text = Text {
    title: "the private key file holds no PEM key",
    meaning: "Nothing in {file} is a readable `-----BEGIN … PRIVATE KEY-----` block. Asterisk would go dark on it.",
    see: "$ grep -c -- '-----BEGIN' {file}\n\
          $ openssl pkey -in {file} -noout",
    remedy: "Write the key in PEM form. From DER:\n\
             $ openssl pkey -inform DER -in {file} -out {file}.pem\n\
             $ install -m 0640 -g asterisk {file}.pem {file} && rm {file}.pem\n\
             From a PKCS#12 file (.pfx, .p12):\n\
             $ openssl pkcs12 -in FILE.p12 -nocerts -nodes -out {file}.pem\n\
             $ install -m 0640 -g asterisk {file}.pem {file} && rm {file}.pem\n\
             From PKCS#8 version 2, which holds the public key too and which OpenSSL 1.1 and 3.0 cannot read, with OpenSSL 3.6:\n\
             $ openssl pkey -in {file} -out {file}.pem\n\
             $ install -m 0640 -g asterisk {file}.pem {file} && rm {file}.pem",
};

pub(super) const KEY_IS_CERT: Text = Text {
    title: "the private key file holds a certificate instead",
    meaning: "{file} is configured as the key and holds only a certificate: the paths are swapped, or both name the same file. Asterisk \
              would go dark on it. One combined file for both paths works, as long as the key is in it.",
    see: "$ grep -- -----BEGIN {file}\n\
          $ grep -nE '^(tlscertfile|tlsprivatekey)' /etc/asterisk/http.conf",
    remedy: "Name each file where it belongs, in http.conf and in the settings alike.\n\
             | tlscertfile = /path/to/fullchain.pem\n\
             | tlsprivatekey = /path/to/privkey.pem",
};

pub(super) const KEY_ENCRYPTED: Text = Text {
    title: "the private key needs a passphrase",
    meaning: "{file} is encrypted, and nobody types a passphrase into a reload. Asterisk would keep the port open and fail every TLS \
              handshake (1006).",
    see: "$ grep -m1 -E 'ENCRYPTED' {file}",
    remedy: "Store the key without a passphrase (the command asks for it once), readable by Asterisk only.\n\
             $ openssl pkey -in {file} -out {file}.pem\n\
             $ install -m 0640 -g asterisk {file}.pem {file} && rm {file}.pem",
};

pub(super) const KEY_MISMATCH: Text = Text {
    title: "the private key belongs to another certificate",
    meaning: "Certificate and key are not a pair. Asterisk would say that the reload succeeded, drop the old certificate and fail every TLS \
              handshake (1006 in the browser); the newest releases would even answer in cleartext. Starkeeper does not load it, and what is \
              served now stays.",
    see: "Both sums must be equal:\n\
          $ openssl x509 -in tls.crt -noout -pubkey | openssl sha256\n\
          $ openssl pkey -in tls.key -pubout | openssl sha256",
    remedy: "Install certificate and key of the same issuance, both files. Certbot keeps them side by side:\n\
             $ cp /etc/letsencrypt/live/NAME/fullchain.pem {cert}\n\
             $ install -m 0640 -g asterisk /etc/letsencrypt/live/NAME/privkey.pem {file}\n\
             cert-manager: have the pair issued anew.\n\
             $ cmctl renew CERTIFICATE -n NAMESPACE",
};

pub(super) const KEY_WEAK: Text = Text {
    title: "the key is too weak for OpenSSL to load",
    meaning: "Found {found}. OpenSSL's security level 2, the default of Debian and of most images, refuses RSA below 2048 bits (`ee key too \
              small`): Asterisk would go dark on it.",
    see: "$ openssl x509 -in {file} -noout -text | grep Public-Key",
    remedy: "Have a certificate issued for a P-256 key (or RSA 2048 and more).\n\
             $ certbot certonly --cert-name NAME --key-type ecdsa --force-renewal\n\
             cert-manager, in the Certificate:\n\
             | spec:\n\
             |   privateKey: {algorithm: ECDSA, size: 256, rotationPolicy: Always}",
};

pub(super) const KEY_UNSUPPORTED: Text = Text {
    title: "a kind of key that not every browser takes",
    meaning: "The key is {found}. OpenSSL, and so Asterisk, may well load it, and browsers take RSA, P-256 and P-384 alone (Firefox P-521, too): with \
              another kind they end TLS, 1006. Some kinds the checker does not know, so that it cannot tell whether the pair matches.",
    see: "Both sums must be equal:\n\
          $ openssl x509 -in tls.crt -noout -pubkey | openssl sha256\n\
          $ openssl pkey -in tls.key -pubout | openssl sha256",
    remedy: "Have the certificate issued for a key of P-256 or RSA 2048:\n\
             $ certbot certonly --cert-name NAME --key-type ecdsa --force-renewal",
};

pub(super) const KEY_WORLD_READABLE: Text = Text {
    title: "every account can read the private key",
    meaning: "Asterisk loads {file} all the same: contrary to what is often said, it checks no mode. But whoever reads the key can pass for \
              this server.",
    see: "$ ls -lL {file}",
    remedy: "Let Asterisk's group alone read it.\n\
             $ chgrp asterisk {file} && chmod 0640 {file}\n\
             In Kubernetes, with an fsGroup:\n\
             | secret: {secretName: wss-tls, defaultMode: 0440}",
};

pub(super) const PAIR_TORN: Text = Text {
    title: "only one half of the pair has been replaced",
    meaning: "Certificate and key have not matched for longer than a copy takes: a rotation stopped half-way. Nothing is loaded, and what is \
              served now stays; a restart of Asterisk in this state would leave WSS dark (1006).",
    see: "$ ls -lLt --time-style=full-iso tls.crt tls.key\n\
          $ openssl x509 -in tls.crt -noout -pubkey | openssl sha256\n\
          $ openssl pkey -in tls.key -pubout | openssl sha256",
    remedy: "Write the other half from the same issuance. It is taken by itself once the two match.\n\
             $ cp /etc/letsencrypt/live/NAME/fullchain.pem tls.crt\n\
             $ cp /etc/letsencrypt/live/NAME/privkey.pem tls.key",
};

pub(super) const LEAF_NOT_FIRST: Text = Text {
    title: "the server's certificate is not the first in the file",
    meaning: "OpenSSL takes the first certificate of {file} for the server's own. Another one stands there, so the key does not match it, and \
              Asterisk would go dark.",
    see: "In the order of the file:\n\
          $ openssl crl2pkcs7 -nocrl -certfile {file} | openssl pkcs7 -print_certs -noout",
    remedy: "Put the leaf first, then each issuer after the one it signed.\n\
             $ cat leaf.pem intermediate.pem > {file}",
};

pub(super) const CHAIN_INCOMPLETE: Text = Text {
    title: "an intermediate certificate is missing from the file",
    meaning: "The file ends at a certificate issued by {issuer}, who is not in it. Some desktop browsers fetch or know the missing one, \
              others, phones and most command-line clients refuse (1006). `tlscafile` in http.conf does not help: Asterisk does not honour it.",
    see: "$ openssl crl2pkcs7 -nocrl -certfile {file} | openssl pkcs7 -print_certs -noout\n\
          $ openssl x509 -in {file} -noout -issuer -ext authorityInfoAccess",
    remedy: "Use the full chain. Certbot:\n\
             $ cp /etc/letsencrypt/live/NAME/fullchain.pem {file}\n\
             Other authorities: append the intermediate that they publish.\n\
             $ cat leaf.pem intermediate.pem > {file}",
};

pub(super) const CHAIN_DISORDERED: Text = Text {
    title: "the intermediates are in the wrong order",
    meaning: "Asterisk serves the certificates in the file's order. Browsers sort it out; some strict clients (SIP phones, older TLS \
              libraries) refuse a chain in which a certificate is not followed by its issuer.",
    see: "Each issuer must be the next subject:\n\
          $ openssl crl2pkcs7 -nocrl -certfile {file} | openssl pkcs7 -print_certs -noout",
    remedy: "Put them in order: leaf, its issuer, that one's issuer; the root may be left out.\n\
             $ cat leaf.pem intermediate.pem > {file}",
};

pub(super) const CHAIN_EXPIRES_FIRST: Text = Text {
    title: "an intermediate expires before the certificate does",
    meaning: "{subject} in the chain ends on {notAfter}, before the leaf. From that moment browsers refuse the whole chain (1006), although \
              the leaf still looks valid.",
    see: "$ openssl storeutl -noout -text -certs {file} | grep -E 'Subject:|Not After'",
    remedy: "Have the certificate issued again, so that it comes with the current intermediate.\n\
             $ certbot renew --cert-name NAME --force-renewal",
};

pub(super) const LEAF_EXPIRED: Text = Text {
    title: "the certificate has expired",
    meaning: "It ended on {notAfter}. Asterisk loads and serves it without a word; every browser refuses it (1006, \
              NET::ERR_CERT_DATE_INVALID on the page).",
    see: "$ openssl x509 -in {file} -noout -dates; date -u\n\
          $ kubectl describe certificate NAME",
    remedy: "Renew it, and see why the renewal did not run.\n\
             $ certbot renew --cert-name NAME --force-renewal; systemctl list-timers 'certbot*'\n\
             cert-manager:\n\
             $ cmctl renew CERTIFICATE -n NAMESPACE; cmctl status certificate CERTIFICATE -n NAMESPACE",
};

pub(super) const LEAF_NOT_YET_VALID: Text = Text {
    title: "the certificate is not valid yet",
    meaning: "It begins on {notBefore}, and by the clock here it is {now}. Asterisk would serve it; browsers would refuse it (1006). Either \
              it was installed too early, or a clock is wrong.",
    see: "$ openssl x509 -in {file} -noout -dates; date -u\n\
          $ timedatectl",
    remedy: "If the clock is wrong, have it set; else keep the old certificate until then. The new one is taken by itself when its time comes.\n\
             $ timedatectl set-ntp true\n\
             Where the old one is gone, have it issued once more, as of now:\n\
             $ certbot renew --cert-name NAME --force-renewal",
};

pub(super) const LEAF_EXPIRING: Text = Text {
    title: "the certificate expires soon",
    meaning: "It ends on {notAfter}. Everything works until then; from that moment every browser sees 1006. Automatic renewal should have \
              replaced it by now.",
    see: "$ openssl x509 -in {file} -noout -enddate\n\
          $ systemctl list-timers 'certbot*'; certbot certificates\n\
          $ kubectl get certificate,certificaterequest,order,challenge -A",
    remedy: "Renew it now, and mend the automatic renewal.\n\
             $ certbot renew --cert-name NAME --dry-run && certbot renew --cert-name NAME\n\
             cert-manager:\n\
             $ cmctl renew CERTIFICATE -n NAMESPACE",
};

pub(super) const LEAF_IS_CA: Text = Text {
    title: "the server's certificate is marked as an authority",
    meaning: "It says CA:TRUE. Asterisk loads it and many browsers accept it once it is trusted, but Firefox and other strict clients refuse \
              an authority's certificate as a server's.",
    see: "$ openssl x509 -in {file} -noout -ext basicConstraints",
    remedy: "Issue it as an end-entity certificate. For a test of your own:\n\
             $ openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \\\n\
             $   -keyout tls.key -out tls.crt -subj /CN=NAME -addext subjectAltName=DNS:NAME \\\n\
             $   -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth",
};

pub(super) const LEAF_NOT_FOR_SERVERS: Text = Text {
    title: "the certificate is not meant for servers",
    meaning: "Its extended key usage leaves out serverAuth (a client or mail certificate, perhaps). Asterisk would serve it; browsers refuse \
              it (1006).",
    see: "$ openssl x509 -in {file} -noout -ext extendedKeyUsage\n\
          $ openssl x509 -in {file} -noout -purpose | grep 'SSL server'",
    remedy: "Have it issued for servers, as Let's Encrypt does:\n\
             $ certbot certonly --cert-name NAME --force-renewal\n\
             cert-manager, in the Certificate:\n\
             | spec:\n\
             |   usages: [digital signature, server auth]\n\
             With openssl, when signing:\n\
             | extendedKeyUsage = serverAuth",
};

pub(super) const NAME_NOT_COVERED: Text = Text {
    title: "the certificate does not cover a name that clients use",
    meaning: "Clients connect to {name}; the certificate is for other names. Browsers compare the host of the wss:// address with the subject \
              alternative names and refuse (1006, NET::ERR_CERT_COMMON_NAME_INVALID). A wildcard covers one level only.",
    see: "$ openssl x509 -in {file} -noout -ext subjectAltName\n\
          $ openssl x509 -in {file} -noout -checkhost {name}",
    remedy: "Have a certificate issued that covers it (name the old ones too), or let clients use a name that is covered.\n\
             $ certbot certonly --cert-name CERT -d OTHERNAME -d {name}\n\
             cert-manager, in the Certificate:\n\
             | spec:\n\
             |   dnsNames: [{name}]",
};

pub(super) const NAME_ONLY_IN_CN: Text = Text {
    title: "the name stands only in the CN, which browsers ignore",
    meaning: "{name} is the subject's common name, but no subject alternative name. Browsers have not read the CN for years: they refuse it \
              (1006), while `openssl s_client` may look fine.",
    see: "$ openssl x509 -in {file} -noout -subject -ext subjectAltName",
    remedy: "Have it issued with the name as a subject alternative name, as Let's Encrypt always does:\n\
             $ certbot certonly --cert-name CERT -d {name} --force-renewal\n\
             Another authority gets a request that names it:\n\
             $ openssl req -new -key tls.key -out tls.csr -subj /CN={name} -addext subjectAltName=DNS:{name}",
};

pub(super) const SIGNATURE_WEAK: Text = Text {
    title: "the certificate is signed with a broken algorithm",
    meaning: "The signature uses {found}. Asterisk's OpenSSL may load it; no current browser accepts SHA-1 or MD5 signatures (1006).",
    see: "$ openssl x509 -in {file} -noout -text | grep -m1 'Signature Algorithm'",
    remedy: "Have it issued anew; every authority signs with SHA-256 or better today.\n\
             $ certbot renew --cert-name NAME --force-renewal\n\
             For one of your own:\n\
             $ openssl x509 -req -sha256 -in tls.csr -CA ca.pem -CAkey ca.key -days 90 -copy_extensions copy -out {file}",
};

pub(super) const SELF_SIGNED: Text = Text {
    title: "the certificate signed itself",
    meaning: "Asterisk serves it like any other, but nobody vouches for it: browsers refuse it (1006) until each user has accepted it by \
              hand, which a WebSocket never offers to do.",
    see: "Subject and issuer are the same:\n\
          $ openssl x509 -in {file} -noout -subject -issuer",
    remedy: "Take one from an authority that browsers trust.\n\
             $ certbot certonly --standalone -d NAME\n\
             For a test, open this in the browser once and accept the warning:\n\
             | https://NAME:8089/ws",
};

pub(super) const ISSUER_UNTRUSTED: Text = Text {
    title: "browsers do not trust who issued the certificate",
    meaning: "The chain is complete and leads to {issuer}, who is not among the trusted authorities: a private or a staging authority, perhaps. \
              Browsers that do not have it refuse (1006, NET::ERR_CERT_AUTHORITY_INVALID).",
    see: "$ openssl x509 -in {file} -noout -issuer\n\
          $ openssl verify -untrusted {file} {file}",
    remedy: "Use a public authority (with Let's Encrypt not its staging server):\n\
             $ certbot certonly --cert-name NAME --force-renewal\n\
             Or install the private root on every client and name it in the settings:\n\
             | certificate:\n\
             |   trust: /etc/ssl/private-root.pem",
};
