//! The text of an instance's configuration files: as little as serves `wss://` with PJSIP, on 16 and 22 alike, so that it boots in a
//! fifth of a second and says nothing that it need not say.

use std::path::Path;

use super::{Builder, Ports, SECRET};

/// Where the instance stands.
pub(super) struct Scene<'a> {
    pub(super) folder: &'a Path,
    pub(super) root: &'a Path,
    pub(super) ports: &'a Ports,
    pub(super) cert: &'a Path,
    pub(super) key: &'a Path,
}

/// All files, by name.
pub(super) fn files(wish: &Builder, scene: &Scene<'_>) -> Vec<(&'static str, String)> {
    let mut files = vec![
        ("asterisk.conf", asterisk(scene)),
        ("modules.conf", modules(wish)),
        ("logger.conf", "[general]\n[logfiles]\nfull => notice,warning,error,verbose\n".to_owned()),
        ("http.conf", http(wish, scene)),
        ("manager.conf", manager(wish, scene)),
        ("pjsip.conf", pjsip(wish, scene)),
        ("rtp.conf", format!("[general]\nrtpstart={}\nrtpend={}\n", scene.ports.rtp.start(), scene.ports.rtp.end())),
        ("extensions.conf", EXTENSIONS.to_owned()),
        ("indications.conf", INDICATIONS.to_owned()),
        ("cdr.conf", "[general]\nenable=no\n".to_owned()),
        ("cli_aliases.conf", CLI_ALIASES.to_owned()),
    ];
    if wish.chan_sip {
        let text = format!("[general]\nudpbindaddr={}:{}\n", wish.bind, scene.ports.chan_sip);
        files.push(("sip.conf", text));
    }
    // Missing ones are complained about; empty ones are not.
    files.extend(EMPTY.map(|name| (name, String::new())));
    files
}

fn asterisk(scene: &Scene<'_>) -> String {
    let folder = scene.folder.display();
    // `[directories]` must not be a template, `(!)`, as it is in the sample: nothing in it would count.
    format!(
        "[directories]\nastetcdir => {folder}/etc\nastmoddir => {modules}\nastvarlibdir => /var/lib/asterisk\nastdatadir => /usr/share/asterisk\n\
         astagidir => /usr/share/asterisk/agi-bin\nastdbdir => {folder}/db\nastkeydir => {folder}/keys\nastspooldir => {folder}/spool\n\
         astrundir => {folder}/run\nastlogdir => {folder}/log\nastcachedir => {folder}/cache\n[options]\nverbose = 3\n",
        modules = module_folder(scene.root),
    )
}

/// Debian moved the modules below the architecture's folder after 16: the one that the package's own asterisk.conf names.
pub(super) fn module_folder(root: &Path) -> String {
    let sample = std::fs::read_to_string(root.join("etc/asterisk/asterisk.conf")).unwrap_or_default();
    let named = sample.lines().find_map(|line| line.strip_prefix("astmoddir => "));
    named.unwrap_or("/usr/lib/asterisk/modules").trim().to_owned()
}

fn modules(wish: &Builder) -> String {
    let mut text = "[modules]\nautoload=no\n".to_owned();
    let first = wish.chan_sip.then_some("chan_sip.so").into_iter();
    let wanted = first.chain(MODULES).chain(wish.load.iter().map(String::as_str));
    for module in wanted.filter(|module| !wish.noload.iter().any(|unwanted| unwanted == module)) {
        text.push_str(&format!("load = {module}\n"));
    }
    for module in &wish.noload {
        text.push_str(&format!("noload = {module}\n"));
    }
    text
}

fn http(wish: &Builder, scene: &Scene<'_>) -> String {
    let mut text = String::from("[general]\n");
    if wish.absent_include {
        text.push_str(ABSENT);
    }
    if wish.stamp {
        text.push_str("#include starkeeper.stamp\n");
    }
    text.push_str(&format!(
        "enabled=yes\nbindaddr={bind}\nbindport={http}\ntlsenable=yes\ntlsbindaddr={tls}:{wss}\ntlscertfile={cert}\ntlsprivatekey={key}\n",
        bind = wish.bind,
        tls = wish.wss_bind.as_ref().unwrap_or(&wish.bind),
        http = scene.ports.http,
        wss = scene.ports.wss,
        cert = scene.cert.display(),
        key = scene.key.display(),
    ));
    for line in &wish.http_lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn manager(wish: &Builder, scene: &Scene<'_>) -> String {
    let mut text = String::from("[general]\n");
    if wish.absent_include {
        text.push_str(ABSENT);
    }
    text.push_str(&format!("enabled=yes\nwebenabled=no\ndisplayconnects=no\nbindaddr={}\nport={}\n", wish.bind, scene.ports.ami));
    if wish.ami_tls {
        text.push_str(&format!(
            "tlsenable=yes\ntlsbindaddr={}:{}\ntlscertfile={}\ntlsprivatekey={}\n",
            wish.bind,
            scene.ports.ami_tls,
            scene.cert.display(),
            scene.key.display()
        ));
    }
    text.push_str(&format!("[starkeeper]\nsecret={SECRET}\nread=system\nwrite=system\n"));
    text.push_str(&format!("[admin]\nsecret={SECRET}\nread=all\nwrite=all\n"));
    text
}

fn pjsip(wish: &Builder, scene: &Scene<'_>) -> String {
    let bind = &wish.bind;
    let mut text = format!(
        "[wss]\ntype=transport\nprotocol=wss\nbind={bind}\n\n[udp]\ntype=transport\nprotocol=udp\nbind={bind}:{}\n",
        scene.ports.sip_udp
    );
    if wish.sip_tls {
        text.push_str(&format!(
            "\n[tls]\ntype=transport\nprotocol=tls\nbind={bind}:{}\ncert_file={}\npriv_key_file={}\nmethod=tlsv1_2\n",
            scene.ports.sip_tls,
            scene.cert.display(),
            scene.key.display()
        ));
    }
    text.push_str(&format!(
        "\n[webrtc]\ntype=endpoint\ncontext=default\ndisallow=all\nallow=ulaw\nwebrtc=yes\nauth=webrtc\naors=webrtc\n\n\
         [webrtc]\ntype=auth\nauth_type=userpass\nusername=webrtc\npassword={SECRET}\n\n[webrtc]\ntype=aor\nmax_contacts=5\nremove_existing=yes\n"
    ));
    for more in &wish.pjsip_lines {
        text.push('\n');
        text.push_str(more);
        text.push('\n');
    }
    text
}

const ABSENT: &str = "#tryinclude starkeeper.absent\n";

/// What `wss://` with PJSIP needs, what a call to the echo needs, and what `pjsip reload` reloads.
const MODULES: [&str; 32] = [
    "res_timing_timerfd.so",
    "res_sorcery_config.so",
    "res_sorcery_memory.so",
    "res_sorcery_astdb.so",
    "res_pjproject.so",
    "res_http_websocket.so",
    "res_pjsip.so",
    "res_pjsip_session.so",
    "res_pjsip_pubsub.so",
    "res_pjsip_transport_websocket.so",
    "res_pjsip_authenticator_digest.so",
    "res_pjsip_endpoint_identifier_user.so",
    "res_pjsip_endpoint_identifier_ip.so",
    "res_pjsip_registrar.so",
    "res_pjsip_nat.so",
    "res_pjsip_sdp_rtp.so",
    "res_pjsip_caller_id.so",
    "res_pjsip_rfc3326.so",
    "res_pjsip_mwi.so",
    "res_pjsip_notify.so",
    "res_pjsip_outbound_publish.so",
    "res_pjsip_publish_asterisk.so",
    "res_pjsip_outbound_registration.so",
    "res_rtp_asterisk.so",
    "res_srtp.so",
    "chan_pjsip.so",
    "bridge_simple.so",
    "codec_ulaw.so",
    "app_dial.so",
    "app_echo.so",
    "pbx_config.so",
    "res_clialiases.so",
];

const EXTENSIONS: &str = "[default]\nexten => echo,1,Answer()\n same => n,Echo()\nexten => webrtc,1,Dial(PJSIP/webrtc,20)\n";
const INDICATIONS: &str =
    "[general]\ncountry=us\n[us]\ndescription=United States\nringcadence=2000,4000\ndial=350+440\nbusy=480+620/500,0/500\n";

const CLI_ALIASES: &str = "[general]\ntemplate = friendly\n[friendly]\n\
    pjsip reload=module reload res_pjsip.so res_pjsip_authenticator_digest.so res_pjsip_endpoint_identifier_ip.so res_pjsip_mwi.so \
    res_pjsip_notify.so res_pjsip_outbound_publish.so res_pjsip_publish_asterisk.so res_pjsip_outbound_registration.so\n";

const EMPTY: [&str; 13] = [
    "acl.conf",
    "ccss.conf",
    "cel.conf",
    "cli_permissions.conf",
    "codecs.conf",
    "dnsmgr.conf",
    "dsp.conf",
    "enum.conf",
    "features.conf",
    "pjproject.conf",
    "pjsip_notify.conf",
    "stasis.conf",
    "udptl.conf",
];
