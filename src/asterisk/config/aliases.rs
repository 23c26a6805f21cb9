//! cli_aliases.conf → what `pjsip reload` stands for here, which is no command of Asterisk's own (`res/res_clialiases.c`). Pure.

use super::conf::Conf;

/// Every entry is a command's name: give it to [`super::read`].
pub fn keep(_: &[u8]) -> bool {
    true
}

/// The command that `alias` stands for, in the templates that `[general]` names. `None`: there is no such command.
pub fn stands_for(conf: &Conf, alias: &str) -> Option<String> {
    let general = conf.section("general")?;
    let templates = general.entries().filter(|entry| entry.is("template")).filter_map(|entry| conf.section(&entry.value()));
    templates.filter_map(|template| template.last(alias)).map(|entry| entry.value().into_owned()).last()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::*;

    #[test]
    fn an_alias_counts_where_its_template_is_named() {
        let text = "[general]\ntemplate = friendly\n[friendly]\npjsip reload=module reload res_pjsip.so\n[other]\nsip reload=x\n";
        let files = BTreeMap::from([("/etc/asterisk/cli_aliases.conf".into(), text.as_bytes().to_vec())]);
        let conf = super::super::read(&files, Path::new("/etc/asterisk"), "cli_aliases.conf", keep).unwrap();
        assert_eq!(stands_for(&conf, "pjsip reload").as_deref(), Some("module reload res_pjsip.so"));
        assert_eq!(stands_for(&conf, "sip reload"), None);
    }
}
