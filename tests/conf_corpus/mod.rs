//! Configuration files that are tricky to read: what Asterisk makes of each, not what one would think, is what counts.

/// A file of the configuration folder.
pub(crate) type File = (&'static str, Vec<u8>);

/// What the tricky files include. They are no `.conf` files, so they are not asked for by themselves.
pub(crate) fn included() -> Vec<File> {
    let mut files: Vec<File> = vec![
        ("inc/b.inc", b"frag=1\n[b]\nq=1\n".to_vec()),
        ("inc/novars.inc", b"frag2=2\n".to_vec()),
        ("inc/broken.inc", b"[b]\nq=1\n[c\nr=1\n".to_vec()),
        ("inc/sub.inc", b"[b]\nq=1\n#include nosuch\nr=1\n".to_vec()),
        ("inc/deep.inc", b"k=deep\n#include inc/b.inc\nafter=1\n[deepcat]\n".to_vec()),
        ("inc/bom.inc", b"\xef\xbb\xbf[b]\nx=1\n".to_vec()),
        ("glob/1.conf", b"g1=1\n[g]\nh=1 ;-- open\n".to_vec()),
        ("glob/2.conf", b"hidden=1\n--; g2=2\n".to_vec()),
        ("glob/.3.conf", b"no=1\n".to_vec()),
        ("glob/4.conf", b"g4=4\n".to_vec()),
        ("broken/1.conf", b"a=1\n[x\nb=1\n".to_vec()),
        ("broken/2.conf", b"c=1\n".to_vec()),
        ("boms/1.inc", b"[p]\nx=1\n".to_vec()),
        ("boms/2.inc", b"\xef\xbb\xbfq=1\n".to_vec()),
        ("empty/not-this", Vec::new()),
        ("inc/d15.inc", b"d15=1\n".to_vec()),
    ];
    const DEEP: [&str; 14] = [
        "inc/d1.inc",
        "inc/d2.inc",
        "inc/d3.inc",
        "inc/d4.inc",
        "inc/d5.inc",
        "inc/d6.inc",
        "inc/d7.inc",
        "inc/d8.inc",
        "inc/d9.inc",
        "inc/d10.inc",
        "inc/d11.inc",
        "inc/d12.inc",
        "inc/d13.inc",
        "inc/d14.inc",
    ];
    for (index, name) in DEEP.into_iter().enumerate() {
        let (here, next) = (index + 1, index + 2);
        files.push((name, format!("d{here}=1\n#include inc/d{next}.inc\ne{here}=1\n").into_bytes()));
    }
    files
}

/// The tricky files.
pub(crate) fn tricky() -> Vec<File> {
    let mut files: Vec<File> = TEXTS.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())).collect();
    files.extend([
        ("bytes-crlf.conf", b"[a]\r\nx=1\r\n\r\ny=2 ; c\r\n[b](a)\r\n".to_vec()),
        ("bytes-bom.conf", b"\xef\xbb\xbf[a]\nx=1\n".to_vec()),
        ("bytes-bom-comment.conf", b"\xef\xbb\xbf; comment\n[a]\nx=1\n".to_vec()),
        ("bytes-nul.conf", b"[a]\nx=1\0y=2\nz=3\n".to_vec()),
        ("bytes-no-end.conf", b"[a]\nx=1".to_vec()),
        ("bytes-blanks.conf", b"[a]\n\x0b\x1fx\x0b=\x01 1\x0b\n".to_vec()),
        ("bytes-empty.conf", Vec::new()),
        ("long-name.conf", format!("[{}]\nx=1\n[{}](+)\ny=2\n", "n".repeat(100), "n".repeat(79)).into_bytes()),
        ("long-name-whole.conf", format!("[{}]\nx=1\n[{}](+)\ny=2\n", "n".repeat(100), "n".repeat(100)).into_bytes()),
        ("long-twice.conf", format!("[a]\nk={}\ny=2\n", "v".repeat(8191 * 2 - 2)).into_bytes()),
        ("long-comment.conf", format!("[a]\nx=1 ;{}\ny=2\n", "v".repeat(9000)).into_bytes()),
        ("long-blank.conf", format!("[a]\nx=1\n{}z=1\ny=2\n", " ".repeat(8191)).into_bytes()),
        ("long-both.conf", format!("[a]\n{}={}\ny=2\n", "n".repeat(3000), "v".repeat(4000)).into_bytes()),
        ("nested-100.conf", format!("[a]\n{}{}y=2\n", ";-- \n".repeat(100), "--;\n".repeat(100)).into_bytes()),
    ]);
    for (name, length) in [("long-8190.conf", 8190), ("long-8191.conf", 8191), ("long-8192.conf", 8192), ("long-20000.conf", 20_000)] {
        files.push((name, format!("[a]\nx=1\nk={}\ny=2\nz=3\n", "v".repeat(length - 3)).into_bytes()));
    }
    files
}

const TEXTS: &[(&str, &str)] = &[
    ("no-section.conf", "k=v\n[a]\nx=1\n"),
    ("no-equals.conf", "[a]\nx=1\ngarbage line\ny=2\n"),
    ("no-bracket.conf", "[a]\nx=1\n[b\ny=2\n"),
    ("no-parenthesis.conf", "[a]\nx=1\n[b](a\ny=2\n"),
    ("blank-in-templates.conf", "[a](!)\nx=1\n[c](!)\nz=1\n[b](a, c)\ny=2\n"),
    ("blank-before-parenthesis.conf", "[a](!)\nx=1\n[b] (a)\ny=2\n"),
    ("empty-parentheses.conf", "[A]\nx=1\n[b]()\ny=2\n"),
    (
        "templates.conf",
        "[base](!)\nx=1\ny=1\n[Mid](!,BASE)\ny=2\n[leaf](mid,base)\nz=3\n[leaf](+)\nw=4\n[leaf]\nv=5\n[leaf](+)\nu=6\n[pre](base)\n",
    ),
    ("order.conf", "[a](!)\nx=1\n[b](a)\nx=2\nx=3\n[c](b)\nx=4\n[c](+,a)\ny=1\n[c](!,+)\nz=1\n[d](c)\n"),
    ("template-after-use.conf", "[b](a)\n[a](!)\nx=1\n"),
    ("add-missing.conf", "[a]\nx=1\n[b](+)\ny=2\n"),
    ("add-to-template.conf", "[a](!)\nx=1\n[a](+)\ny=2\n"),
    ("add-behind-template.conf", "[a]\nx=1\n[t](!)\nq=1\n[a](t,+)\ny=2\n"),
    ("add-twice.conf", "[a]\nx=1\n[b]\n[a](+,+)\ny=2\n[b](+)(a)\nz=1\n"),
    ("filter.conf", "[a]\ntype=x\n[a]\ntype=y\n[a](+type=y)\nk=1\n[t](!)\nq=1\n[t](+TEMPLATES=include)\nq=2\n[u](t)\n"),
    (
        "filters.conf",
        "[a]\ntype=endpoint\nctx=one\n[a]\ntype=aor\nn=1\n[a](+type=aor&n=1)\nk=1\n[a](+type=^end)\nk=2\n[a](+type=point)\nk=3\n[a](+ty=aor$)\nk=4\n",
    ),
    ("filter-missing.conf", "[a]\ntype=x\n[a](+type=z)\nk=1\n"),
    (
        "comments.conf",
        "[a] ; c\nx = 1 ; comment\ny = a\\;b ;c\nz => ;--inline--; v\n;-- block\nk = no\n;-- nested\n--; still\nk2 = no\n--; k3 = yes\n\
         ;--- not block\nk4 = yes\nw = 1 ;-- one --; 2 ;-- two --; 3\nv = a;-- b ;-- c --; d --; e\nu = \\\\;x\n",
    ),
    (
        "comment-edges.conf",
        "[a]\n;-- one line --;\nx=1 ;-- a --; ;-- b --; y\n;---- four\nz=1\n;--;\nw=1\n;----;\nv=1\n;-- x --;u=1\n--; t=1\n",
    ),
    ("comment-stray.conf", "[a]\nx = 1 --; foo\ny = 2\n;-- hm\nz = 3\n--;\nw = 4\n"),
    ("comment-open.conf", "[a]\nx=1\n;-- open\ny=2\n[b]\n"),
    ("escapes.conf", "[a]\n\\#x=1\n\\[y]=2\n\\=z=3\na\\=b=4\n#x=5\n\\\\k=6\n\\+=7\nk=2\n\\k+=8\n"),
    ("escape-blank.conf", "[a]\n\\ z=1\nk=2\n"),
    (
        "settings.conf",
        "[a]\n=novalue\nnoval=\n  spaced key  =   spaced value   \nk==v\nk=>v\nk= >v\nk =>  v\nk=v=w\nq=\"quoted\"\nK=upper\n[ A ]\nx=1\n[]\ny=1\n[c]trailing\nz=1\n",
    ),
    ("add-to-value.conf", "[a]\nx=1\nx+=2\nx += 3 \ny+=new\nX+=cap\nx=10\nx+=11\n=+\n"),
    ("carriage-return.conf", "[a]\rx=1\ry=2\n"),
    ("not-ascii.conf", "[ção]\nnome = José\n[ção](+)\nx = 1\n"),
    ("not-ascii-case.conf", "[ção]\nnome = José\n[ÇÃO](+)\nx = 1\n"),
    ("bracket-in-name.conf", "[a]b](x)\nk=1\n[ c ] ; comment\nk=2\n[d](a)\n"),
    ("include.conf", "[a]\nx=1\n#include inc/b.inc\ny=2\n#include \"inc/novars.inc\"\nz=3\n"),
    ("include-missing.conf", "[a]\nx=1\n#include nosuch.conf\ny=2\n"),
    ("include-try-missing.conf", "[a]\nx=1\n#tryinclude nosuch.conf\ny=2\n"),
    ("include-broken.conf", "[a]\nx=1\n#include inc/broken.inc\ny=2\n[z]\n"),
    ("include-sub-missing.conf", "[a]\nx=1\n#include inc/sub.inc\ny=2\n"),
    ("include-folder.conf", "[a]\n#tryinclude inc\ny=1\n#include inc\nz=1\n"),
    ("include-try-folder.conf", "[a]\n#tryinclude inc\ny=1\n"),
    ("include-wildcard.conf", "[a]\n#include \"glob/*.conf\"\nz=1\n"),
    ("include-wildcard-empty.conf", "[a]\nx=1\n#include \"empty/*.conf\"\ny=2\n"),
    ("include-wildcard-try-empty.conf", "[a]\nx=1\n#tryinclude empty/*.conf\ny=2\n"),
    ("include-wildcard-broken.conf", "[a]\n#include \"broken/*.conf\"\nz=1\n"),
    ("include-braces.conf", "[a]\nx=1\n#include <inc/{novars,b}.inc>\n#include inc/no[t-w]ars.in?\ny=2\n"),
    ("include-itself.conf", "[a]\nx+=1\nn=1\n#include include-itself.conf\nafter=1\n"),
    ("include-itself-try.conf", "[a]\nn=1\n#tryinclude include-itself-try.conf\nafter=1\n"),
    ("include-twice.conf", "[a]\n#include inc/novars.inc\n#include inc/novars.inc\n"),
    ("include-deep.conf", "[a]\n#include inc/d1.inc\nz=1\n"),
    ("include-nested.conf", "[a]\n#include inc/deep.inc\nz=1\n#include inc/novars.inc\n[last]\n"),
    ("include-byte-order-mark.conf", "[a]\n#include inc/bom.inc\ny=1\n"),
    ("include-byte-order-marks.conf", "[a]\n#include boms/*.inc\ny=1\n"),
    (
        "include-exhausted.conf",
        "[a]\nx=1\n#tryinclude inc/broken.inc\n#tryinclude inc/broken.inc\n#tryinclude inc/broken.inc\n#tryinclude inc/broken.inc\n\
         #tryinclude inc/broken.inc\n#tryinclude inc/broken.inc\n#tryinclude inc/broken.inc\n#tryinclude inc/broken.inc\n\
         #tryinclude inc/broken.inc\n#tryinclude inc/broken.inc\n#tryinclude inc/broken.inc\n#tryinclude inc/novars.inc\nz=1\n",
    ),
    (
        "directives.conf",
        "[a]\n#include\n#bogus foo\n#include\"inc/novars.inc\"\n#INCLUDE inc/novars.inc\n# include inc/novars.inc\n\
         #tryinclude \"inc/novars.inc\n#include  inc/novars.inc   ; comment\n#include <inc/novars.inc>\n#include\tinc/novars.inc\n\
         #exec /bin/echo k=1\nk=1\n",
    ),
    ("directive-quotes.conf", "[a]\n#include \"inc/novars.inc\"x\nk=1\n"),
];
