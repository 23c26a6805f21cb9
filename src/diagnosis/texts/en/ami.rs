//! English: the Asterisk Manager Interface and the reload.

use crate::diagnosis::texts::Text;

pub(super) const AMI_REFUSED: Text = Text {
    title: "nothing listens at the manager address",
    meaning: "The connection to AMI at {address} was refused. Calls and the certificate that is served are not touched, but no new certificate \
              can be loaded until AMI answers. Asterisk is down, AMI is off, or it listens elsewhere.",
    see: "$ ss -ltnp 'sport = :5038'\n\
          $ asterisk -rx 'manager show settings'",
    remedy: "Turn AMI on in manager.conf, on the loopback when the agent shares Asterisk's network:\n\
             | [general]\n\
             | enabled = yes\n\
             | port = 5038\n\
             | bindaddr = 127.0.0.1\n\
             $ asterisk -rx 'module reload manager'",
};

pub(super) const AMI_TIMEOUT: Text = Text {
    title: "the manager interface does not answer in time",
    meaning: "{address} took the connection, or swallowed it, and then said nothing. Either something drops the packets, or Asterisk is stopped \
              or stuck; then browsers cannot connect either.",
    see: "It should say `Asterisk Call Manager`:\n\
          $ curl -s -m 3 telnet://{address}\n\
          $ asterisk -rx 'core show uptime'\n\
          $ ps -o pid,stat,time,args -C asterisk",
    remedy: "If the console does not answer either, restart Asterisk (this ends the calls); else open the way to the port.\n\
             $ systemctl restart asterisk\n\
             $ kubectl delete pod POD",
};

pub(super) const AMI_NOT_AMI: Text = Text {
    title: "what answers at the manager address is not AMI",
    meaning: "{address} does not greet with `Asterisk Call Manager`: it is another service, the HTTP port, or AMI's TLS port spoken to \
              without TLS.",
    see: "$ curl -s -m 3 telnet://{address}\n\
          $ asterisk -rx 'manager show settings'",
    remedy: "Name AMI's own port: 5038 plain, 5039 with TLS.\n\
             | asterisk:\n\
             |   ami: {address: 127.0.0.1:5038}",
};

pub(super) const AMI_AUTH_FAILED: Text = Text {
    title: "the manager interface refuses the login",
    meaning: "Asterisk said `Authentication failed` to {user}. It says the same for an unknown user, a wrong secret and an address that `deny` \
              or `permit` bars. No new certificate can be loaded until it lets the agent in.",
    see: "$ asterisk -rx 'manager show user {user}'\n\
          $ grep -n -A8 -F '[{user}]' /etc/asterisk/manager.conf",
    remedy: "Make user and secret in manager.conf the same as in the agent's settings, and permit the agent's address:\n\
             | [{user}]\n\
             | secret = A-LONG-RANDOM-SECRET\n\
             | read = system\n\
             | write = system\n\
             | deny = 0.0.0.0/0.0.0.0\n\
             | permit = 127.0.0.1/255.255.255.255\n\
             $ asterisk -rx 'module reload manager'",
};

pub(super) const AMI_PERMISSION_DENIED: Text = Text {
    title: "the manager user may not reload modules",
    meaning: "The login works, but the user {user} lacks the class that a reload needs: Asterisk said `Permission denied`. New certificates are \
              judged and not loaded.",
    see: "$ asterisk -rx 'manager show user {user}'",
    remedy: "In manager.conf, in the section of that user (class `system` is enough; `command` is not needed):\n\
             | read = system\n\
             | write = system\n\
             $ asterisk -rx 'module reload manager'",
};

pub(super) const AMI_BOOTING: Text = Text {
    title: "Asterisk is still starting",
    meaning: "The reload is queued: Asterisk does it once all modules are loaded. That is waiting, not success, and nothing is wrong yet.",
    see: "$ asterisk -rx 'core show uptime'",
    remedy: "Nothing needs to be done. If it lasts longer than a minute, see what Asterisk waits for:\n\
             $ asterisk -rx 'core waitfullybooted'\n\
             $ asterisk -rx 'module show' | grep 'Not Running'",
};

pub(super) const AMI_TLS_FAILED: Text = Text {
    title: "TLS to the manager interface fails",
    meaning: "{address} takes the connection, and no TLS session comes of it: {reason}. Either that port does not speak TLS, or its certificate \
              is expired, untrusted or for another name. Asterisk does not load a new certificate for AMI until manager.conf is read again.",
    see: "$ openssl s_client -connect {address} </dev/null\n\
          $ asterisk -rx 'manager show settings' | grep -i tls",
    remedy: "Mend the certificate that manager.conf names, and put this line under [general] there: it names a file that must not exist, and \
             makes every reload read manager.conf, and so the certificate, anew.\n\
             | #tryinclude starkeeper.absent\n\
             $ asterisk -rx 'module reload manager'",
};

pub(super) const AMI_PLAINTEXT_REMOTE: Text = Text {
    title: "the manager interface is reached in cleartext",
    meaning: "AMI at {address} is not on this machine and not over TLS: whoever listens on the way reads the session, and with \
              `auth: plain` the secret too. Browsers are not affected.",
    see: "$ asterisk -rx 'manager show settings' | grep -iE 'bind|tls'",
    remedy: "Run the agent beside Asterisk (same pod, or host network) and use the loopback:\n\
             | asterisk:\n\
             |   ami: {address: 127.0.0.1:5038}\n\
             Or turn TLS on in manager.conf, and here:\n\
             | tlsenable = yes\n\
             | tlsbindaddr = 0.0.0.0:5039\n\
             | tlscertfile = /path/to/fullchain.pem\n\
             | tlsprivatekey = /path/to/privkey.pem",
};

pub(super) const RELOAD_MODULE_MISSING: Text = Text {
    title: "Asterisk has no such module to reload",
    meaning: "Asterisk said `No such module` for {module}, which it wraps in a Success. The new certificate was not loaded there. Minimal images \
              also lack the alias `pjsip reload`.",
    see: "$ asterisk -rx 'module show like {module}'\n\
          $ grep -nE '^(load|noload|autoload)' /etc/asterisk/modules.conf",
    remedy: "Load it, or do not ask for its reload (`reload.pjsip: never` in the settings).\n\
             $ asterisk -rx 'module load {module}'",
};

pub(super) const RELOAD_FAILED: Text = Text {
    title: "Asterisk did not carry out the reload",
    meaning: "The reload of {module} was not done, or its outcome is unknown: {reason}. What was served before is most likely still served; \
              the agent proves it on the wire and tries again.",
    see: "$ asterisk -rx 'core show uptime'\n\
          $ tail -n 50 /var/log/asterisk/messages*",
    remedy: "Read what Asterisk says, then try by hand and look at the port, since a reload always claims success.\n\
             $ asterisk -rx 'module reload {module}'\n\
             $ openssl s_client -connect 127.0.0.1:8089 </dev/null | openssl x509 -noout -dates",
};

pub(super) const SIP_TLS_RELOAD_UNSUPPORTED: Text = Text {
    title: "SIP TLS keeps its old certificate until a restart",
    meaning: "Asterisk {found} cannot reload the certificate of the transport {section}; 16.29, 18.15, 19.7 and 20.0 were the first that can. \
              Browsers are not concerned: /ws has the new one. SIP phones over TLS are served the old one until Asterisk starts again.",
    see: "$ asterisk -rx 'core show version'\n\
          $ openssl s_client -connect 127.0.0.1:5061 </dev/null | openssl x509 -noout -dates",
    remedy: "Update Asterisk, or let it start anew once no call is up, before the old certificate expires.\n\
             $ asterisk -rx 'core restart when convenient'",
};
