//! How findings look: widths, languages, styles, and that what is to be pasted can be pasted.

use super::*;

fn mismatch() -> Finding {
    Finding::new(Code::KeyMismatch)
        .with("file", "/tls/tls.key")
        .with("line", 1)
        .with("expected", "a P-256 key, 375e7299f7542dc3")
        .with("found", "a P-256 key, b0c10443")
}

fn plain(lang: Lang) -> Show {
    Show::new(lang, Styles::plain())
}

/// The escape character made visible.
fn visible(text: &str) -> String {
    text.replace('\u{1b}', "^")
}

#[test]
fn a_finding_in_english_ends_with_its_remedy() {
    insta::assert_snapshot!(plain(Lang::En).finding(&mismatch()), @r"
    error[key-mismatch]: the private key belongs to another certificate
      --> /tls/tls.key:1
       | expected  a P-256 key, 375e7299f7542dc3
       | found     a P-256 key, b0c10443

      Certificate and key are not a pair. Asterisk would say that the reload
      succeeded, drop the old certificate and fail every TLS handshake (1006 in the
      browser); the newest releases would even answer in cleartext. Starkeeper does
      not load it, and what is served now stays.

    help: Install certificate and key of the same issuance, both files. Certbot
      keeps them side by side:
          cp /etc/letsencrypt/live/NAME/fullchain.pem /path/to/fullchain.pem
          install -m 0640 -g asterisk /etc/letsencrypt/live/NAME/privkey.pem /tls/tls.key
      cert-manager: have the pair issued anew.
          cmctl renew CERTIFICATE -n NAMESPACE
      Then the agent has Asterisk load it; where none runs, do so by hand (the touch
      makes Asterisk read http.conf anew):
          touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'
    ");
}

#[test]
fn a_finding_in_portuguese_says_the_same() {
    insta::assert_snapshot!(plain(Lang::PtBr).finding(&mismatch()), @r"
    erro[key-mismatch]: a chave privada é de outro certificado
      --> /tls/tls.key:1
       | expected  a P-256 key, 375e7299f7542dc3
       | found     a P-256 key, b0c10443

      Certificado e chave não formam um par. O Asterisk diria que o reload deu
      certo, largaria o certificado antigo e falharia em todo handshake TLS (1006 no
      navegador); as versões mais novas até responderiam em texto claro. O
      Starkeeper não o carrega, e o que é servido agora permanece.

    ajuda: Instale certificado e chave da mesma emissão, os dois arquivos. O Certbot
      os guarda lado a lado:
          cp /etc/letsencrypt/live/NOME/fullchain.pem /caminho/para/fullchain.pem
          install -m 0640 -g asterisk /etc/letsencrypt/live/NOME/privkey.pem /tls/tls.key
      cert-manager: mande emitir o par de novo.
          cmctl renew CERTIFICADO -n NAMESPACE
      Depois disso o agente faz o Asterisk carregá-lo; onde não há agente, faça à
      mão (o touch obriga o Asterisk a reler o http.conf):
          touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'
    ");
}

#[test]
fn colours_mark_the_severity_the_frame_and_the_help_alone() {
    let finding = Finding::new(Code::ClockSkewed).with("now", "1970-01-01T00:00:00Z").with("reason", "the kernel is newer");
    insta::assert_snapshot!(visible(&Show::new(Lang::En, Styles::coloured()).finding(&finding)), @r"
    ^[1m^[93mwarning[clock-skewed]^[0m^[1m:^[0m ^[1mthe clock is wrong^[0m
       ^[1m^[94m|^[0m now     1970-01-01T00:00:00Z
       ^[1m^[94m|^[0m reason  the kernel is newer

      By the clock here it is 1970-01-01T00:00:00Z, and the kernel is newer.
      Certificates are judged by the clock, so a good one may look expired or not
      yet valid, and a bad one good.

    ^[1m^[92mhelp:^[0m Have the machine's clock set (containers share the node's):
          timedatectl set-ntp true
    ");
}

#[test]
fn colour_changes_nothing_but_colour() {
    for &lang in Lang::ALL {
        let (plain, coloured) = (plain(lang), Show::new(lang, Styles::coloured()));
        let stripped = |text: String| anstream::adapter::strip_str(&text).to_string();
        assert_eq!(stripped(coloured.finding(&mismatch())), plain.finding(&mismatch()));
        assert_eq!(stripped(coloured.codes()), plain.codes());
        for &code in Code::ALL {
            assert!(!plain.explain(code).contains('\u{1b}'));
            assert_eq!(stripped(coloured.explain(code)), plain.explain(code), "{code}");
        }
    }
}

#[test]
fn the_page_of_a_code_shows_how_to_see_it_and_ends_with_the_remedy() {
    insta::assert_snapshot!(plain(Lang::PtBr).explain(Code::WsSessionLimit), @r"
    erro[ws-session-limit]: o Asterisk não tem mais sessões HTTP

      O TLS dá certo em HOST:PORTA e a conexão termina antes de qualquer resposta: o
      `sessionlimit` (100 se não for definido) se esgotou. Cada cliente WSS aberto
      ocupa uma sessão; quem vier depois vê 1006.

    fonte: observado no Asterisk 22.10; o código do Asterisk, main/http.c

    veja:
          ss -Htn state established '( sport = :8089 )' | wc -l
          grep -n sessionlimit /etc/asterisk/http.conf

    ajuda: Aumente-o no http.conf, em [general], acima do número de clientes:
          sessionlimit = 1000
          asterisk -rx 'module reload http'
    ");
}

#[test]
fn errors_come_first_and_are_counted() {
    let findings = [
        Finding::new(Code::AmiBooting),
        Finding::new(Code::CannotHeal),
        Finding::new(Code::TlsExpired),
        Finding::new(Code::LeafExpiring),
        mismatch(),
    ];
    let shown = plain(Lang::En).findings(&findings);
    let headers: Vec<&str> = shown.lines().filter_map(|line| line.split_once("]:").map(|(header, _)| header)).collect();
    assert_eq!(headers, ["error[tls-expired", "error[key-mismatch", "warning[cannot-heal", "warning[leaf-expiring", "info[ami-booting"]);
    assert_eq!(shown.lines().last(), Some("2 errors, 2 warnings, 1 info"));
    assert_eq!(plain(Lang::PtBr).findings(&findings[..2]).lines().last(), Some("1 aviso, 1 info"));
    assert_eq!(plain(Lang::En).findings(&[]), "");
}

#[test]
fn prose_keeps_within_its_columns_and_lines_to_paste_stay_whole() {
    for &lang in Lang::ALL {
        for width in [60, 80, 120] {
            let show = Show { width, ..plain(lang) };
            for &code in Code::ALL {
                for line in show.explain(code).lines() {
                    let one_word = line.trim_start().split(' ').count() == 1;
                    assert!(line.starts_with("      ") || one_word || line.chars().count() <= width, "{code} {lang:?} {width}: {line}");
                }
            }
            for line in show.codes().lines() {
                assert!(line.chars().count() <= width, "{lang:?} {width}: {line}");
            }
        }
        for &code in Code::ALL {
            let text = texts::text(code, lang);
            for piece in texts::fill(text.remedy, &Evidence::default(), lang) {
                match piece {
                    Piece::Paste(line) => assert!(plain(lang).explain(code).contains(&format!("\n      {line}\n")), "{code}: {line}"),
                    Piece::Prose(_) => {}
                }
            }
        }
    }
}

#[test]
fn every_code_is_listed_under_its_group() {
    for &lang in Lang::ALL {
        let list = plain(lang).codes();
        let names: Vec<&str> = list.lines().filter_map(|l| l.strip_prefix("  ")?.split_whitespace().next()).collect();
        for &code in Code::ALL {
            assert!(names.contains(&code.name()), "{code}");
        }
        assert_eq!(list.lines().filter(|line| line.is_empty()).count(), 7);
    }
}

#[test]
fn long_evidence_stays_in_its_column() {
    let names: Vec<String> = (0..12).map(|n| format!("pbx-{n}.example.com")).collect();
    let shown = plain(Lang::En).finding(&Finding::new(Code::NameNotCovered).with("name", "pbx").with("names", names));
    let evidence: Vec<&str> = shown.lines().filter(|line| line.starts_with("   |")).collect();
    assert_eq!(evidence.len(), 5, "{shown}");
    assert!(evidence[2].starts_with("   |        pbx-"), "{shown}");
    assert!(evidence.iter().all(|line| line.len() <= 80), "{shown}");
}

#[test]
fn hostile_evidence_reaches_no_terminal() {
    let finding = Finding::new(Code::TlsNameMismatch).with("file", "a\u{1b}[31m").with("name", "\u{1b}]0;owned\u{7}\nerror[x]: y");
    let shown = plain(Lang::En).finding(&finding);
    assert!(shown.chars().all(|character| character == '\n' || !character.is_control()), "{shown:?}");
    assert!(!shown.lines().any(|line| line.starts_with("error[x]")));
}
