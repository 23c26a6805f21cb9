//! What `--help` says after the options: exit statuses, and lines to copy. The man page shows the same.

use clap::builder::{Styles, styling::AnsiColor};

/// The heading of what every subcommand takes.
pub(super) const COMMON: &str = "Common options";

/// As cargo colours its help.
pub(super) const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightGreen.on_default().bold())
    .usage(AnsiColor::BrightGreen.on_default().bold())
    .literal(AnsiColor::BrightCyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default())
    .error(AnsiColor::BrightRed.on_default().bold())
    .valid(AnsiColor::BrightCyan.on_default().bold())
    .invalid(AnsiColor::BrightYellow.on_default().bold());

pub(super) const STARKEEPER: &str = "\
Exit status:
  0  as hoped: usable, proved, ready, serving, drained
  1  not so
  2  wrong usage or settings; inspect: no agent; doctor: could not run

Examples:
  starkeeper run -c /etc/starkeeper/starkeeper.yaml
  starkeeper check --cert tls.crt --key tls.key --name pbx.example.com
  starkeeper doctor wss://pbx.example.com:8089/ws
  starkeeper inspect --watch
  starkeeper explain key-mismatch";

pub(super) const RUN: &str = "\
The AMI secret itself has no flag: it stands in manager.conf (--config-dir), in
the file that --ami-secret-file names, or in STARKEEPER_AMI_SECRET.

SIGHUP: look at everything again. SIGTERM, SIGINT: drain and end.

Exit status: 0 drained after a signal, 1 failed, 2 settings are wrong

Examples:
  starkeeper run                              # with the settings file
  starkeeper run --config-dir /etc/asterisk   # without: by Asterisk's own files
  starkeeper run --log-level debug --log-format text";

pub(super) const CHECK: &str = "\
No Asterisk, no agent and no settings are needed. An error is what Asterisk
would not load, or what browsers would refuse.

Exit status: 0 usable, 1 rejected, 2 wrong usage

Examples:
  starkeeper check --cert fullchain.pem --key privkey.pem --name pbx.example.com
  starkeeper check --cert pair.pem --ca none      # both in one file, any issuer
  starkeeper check --cert pair.pem --at 2027-01-01T00:00:00Z --strict
  starkeeper check --cert pair.pem -o json | jq -r '.findings[].code'";

pub(super) const RELOAD: &str = "\
Exit status: 0 proved or served already, 1 not, 2 settings are wrong

Examples:
  certbot renew --deploy-hook 'starkeeper reload --config-dir /etc/asterisk'
  acme.sh --install-cert -d pbx.example.com --reloadcmd 'starkeeper reload' …
  starkeeper reload --within 20 -o json | jq .lastRotation.millis";

pub(super) const PUBLISH: &str = "\
Asterisk is not asked for anything. A pair that cannot be published, or that is
worse than the one that stands, leaves that one where it is.

Exit status: 0 a good pair stands, 1 none does, 2 settings are wrong

Examples:
  starkeeper publish                   # in an init container
  starkeeper publish --within 0        # look once, do not wait
  starkeeper publish -o json | jq -r '.outcome, .findings[].code'";

pub(super) const DOCTOR: &str = "\
With a URL no access to Asterisk is needed: it looks as a browser does. Without one it
looks from within: at Asterisk's files (--config-dir), its pairs, ports and modules,
and then at the way of a browser to this very listener. Neither leaves a line in
Asterisk's log, but for what --thorough asks and for a password that is refused.
-o json tells every step with its evidence.

Exit status: 0 no error, 1 errors found, 2 it could not run

Examples:
  starkeeper doctor wss://pbx.example.com:8089/ws
  starkeeper doctor --config-dir /etc/asterisk --name pbx.example.com
  starkeeper doctor wss://pbx.example.com/ws --origin https://app.example.com
  starkeeper doctor wss://pbx.lan:8089/ws --ca our-root.pem
  starkeeper doctor wss://pbx.example.com:8089/ws --connect 10.0.0.7:8089
  starkeeper doctor wss://pbx.example.com:8089/ws --user 1001 --password-file FILE
  starkeeper doctor wss://pbx.example.com:8089/ws -o json | jq .firstCause
  starkeeper doctor client --env-file .env --compose docker-compose.yml";

pub(super) const DOCTOR_CLIENT: &str = "\
The address is composed as front ends do: the page's scheme (wss:// for https://),
NEXT_PUBLIC_ASTERISK_HOST and NEXT_PUBLIC_WEBSOCKET_PATH (default /ws). Variables of
the environment go before those of files, as in Compose.

Exit status: 0 no error, 1 errors found, 2 it could not run

Examples:
  starkeeper doctor client --env-file .env
  starkeeper doctor client --env-file .env --compose docker-compose.yml
  starkeeper doctor client --env-file .env --page http://localhost:3000 --offline
  starkeeper doctor client --env-file web/.env --compose a.yml --compose b.yml --service pbx";

pub(super) const CONFIGURE: &str = "\
Without --write nothing is changed: what is missing is printed as a difference, with
secrets left out. No line that stands in a file is changed; where one says otherwise,
that is a finding, and nothing is written.

Exit status: 0 nothing is missing, or it was written, 1 something is missing or in the
way, 2 usage

Examples:
  starkeeper configure --cert /tls/tls.crt --key /tls/tls.key --user 1001
  starkeeper configure --cert /tls/tls.crt --key /tls/tls.key --user 1001=FILE --write
  starkeeper configure --bind 10.0.0.7:8089 | patch -p1 -d /etc/asterisk
  starkeeper configure && echo nothing is missing";

pub(super) const HEALTHCHECK: &str = "\
Exit status: 0 ready, 1 not

Examples:
  starkeeper healthcheck
  starkeeper healthcheck --url 'http://127.0.0.1:9808/readyz?verbose'
  starkeeper healthcheck --url http://127.0.0.1:9808/livez
  HEALTHCHECK CMD [\"starkeeper\", \"healthcheck\"]      # in a Dockerfile";

pub(super) const INSPECT: &str = "\
Exit status: 0 serving, 1 not, 2 no agent

Examples:
  starkeeper inspect --watch
  starkeeper inspect -o json | jq '.surfaces[0].served'
  starkeeper inspect --url http://pbx-0.pbx:9808";

pub(super) const NOTIFY: &str = "\
Sent are the receivers of `notify` in the settings; what is sent says that it is a
test. No agent need run.

Exit status: 0 all delivered, 1 some not, 2 no such receiver, or settings are wrong

Examples:
  starkeeper notify --test
  starkeeper notify --test --receiver on-call
  starkeeper notify --test -o json | jq '.receivers[] | select(.outcome == \"failed\")'";

pub(super) const EXPLAIN: &str = "\
Exit status: 0, or 2 for an unknown code

Examples:
  starkeeper explain                    # every code with its title
  starkeeper explain listener-wedged
  starkeeper explain --lang pt-BR key-mismatch
  starkeeper explain --markdown > findings.md";

pub(super) const SCHEMA: &str = "\
Examples:
  starkeeper schema > starkeeper.schema.json
  # then, as the first line of starkeeper.yaml:
  # yaml-language-server: $schema=starkeeper.schema.json";

pub(super) const COMPLETIONS: &str = "\
Examples:
  source <(starkeeper completions bash)
  starkeeper completions zsh > \"${fpath[1]}/_starkeeper\"
  starkeeper completions fish > ~/.config/fish/completions/starkeeper.fish";

pub(super) const MAN: &str = "\
Examples:
  starkeeper man | man -l -
  starkeeper man > /usr/local/share/man/man1/starkeeper.1";
