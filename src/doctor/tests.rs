//! What findings come to: causes before symptoms, the wire above what configuration lets one expect, and a cause for every code that stands
//! between a browser and SIP.

use super::{BrowserWould, Cause, Notebook, Report};
use crate::diagnosis::{Code, Finding, Lang, Severity};

fn report(findings: &[Code], seen: Option<BrowserWould>) -> Report {
    let mut nobody = ();
    let mut book = Notebook::new(&mut nobody);
    for code in findings {
        book.find(Finding::new(*code));
    }
    if let Some(seen) = seen {
        book.saw(seen);
    }
    Report::of(book)
}

#[test]
fn causes_come_before_the_symptoms_that_they_bring_about() {
    for (found, first) in [
        (&[Code::WsNotFound, Code::ClientUrlNoPath][..], Code::ClientUrlNoPath),
        (&[Code::TcpRefused, Code::ClientUrlNoPort], Code::ClientUrlNoPort),
        (&[Code::TcpRefused, Code::TlsDisabled], Code::TlsDisabled),
        (&[Code::LeafExpired, Code::TcpRefused], Code::TcpRefused),
        (&[Code::SignatureWeak, Code::TcpRefused], Code::SignatureWeak),
        (&[Code::LeafExpired, Code::TlsExpired], Code::LeafExpired),
        (&[Code::LeafExpired, Code::TlsFailed], Code::TlsFailed),
        (&[Code::LeafExpired, Code::KeyMismatch], Code::KeyMismatch),
        (&[Code::TcpRefused, Code::KeyMismatch], Code::KeyMismatch),
        (&[Code::WsNotFound, Code::NameNotCovered], Code::NameNotCovered),
        (&[Code::TcpRefused, Code::ComposePortUnpublished], Code::ComposePortUnpublished),
        (&[Code::TlsFailed, Code::KeyMismatch], Code::KeyMismatch),
        (&[Code::WsSubprotocolRefused, Code::TlsExpired], Code::TlsExpired),
        (&[Code::SipNoAnswer, Code::WsNotFound], Code::WsNotFound),
        (&[Code::SipOwnedByChanSip, Code::ChanSipConflict], Code::ChanSipConflict),
        (&[Code::SipAuthRejected, Code::EndpointAuthMissing], Code::EndpointAuthMissing),
        (&[Code::TlsUntrusted, Code::DnsFailed], Code::DnsFailed),
        // A warning is no cause.
        (&[Code::TlsValidityTooLong, Code::SipNoAnswer], Code::SipNoAnswer),
    ] {
        let report = report(found, None);
        assert_eq!(report.first_cause, Some(first), "{found:?}");
    }
    assert_eq!(report(&[Code::LeafExpiring], None).first_cause, None);
}

#[test]
fn what_the_wire_showed_stands_above_what_one_would_expect() {
    use BrowserWould::{Connect, ConnectThenReject, Fail1006};
    for (found, seen, expected) in [
        (&[][..], None, Connect),
        (&[Code::TlsExpired], None, Fail1006),
        (&[Code::KeyMismatch], Some(Connect), Connect),
        (&[Code::SipAuthRejected], None, ConnectThenReject),
        (&[Code::SipAuthRejected, Code::TlsExpired], None, Fail1006),
        (&[Code::CannotHeal, Code::AmiAuthFailed], None, Connect),
        (&[], Some(Fail1006), Fail1006),
    ] {
        assert_eq!(report(found, seen).browser_would, expected, "{found:?} {seen:?}");
    }
    // The worst that was seen stays.
    let mut nobody = ();
    let mut book = Notebook::new(&mut nobody);
    book.saw(Fail1006);
    book.saw(Connect);
    assert_eq!(Report::of(book).browser_would, Fail1006);
}

#[test]
fn each_of_the_five_causes_has_its_number_and_its_name_in_both_languages() {
    for (code, cause, number) in [
        (Code::TlsUntrusted, Cause::CertificateNotTrusted, Some(1)),
        (Code::TlsExpired, Cause::CertificateNotTrusted, Some(1)),
        (Code::TlsFailed, Cause::TlsAtAsterisk, Some(2)),
        (Code::KeyMismatch, Cause::TlsAtAsterisk, Some(2)),
        (Code::ListenerWedged, Cause::TlsAtAsterisk, Some(2)),
        (Code::WsSubprotocolRefused, Cause::SipTransport, Some(3)),
        (Code::ChanSipConflict, Cause::SipTransport, Some(3)),
        (Code::WssTransportMissing, Cause::SipTransport, Some(3)),
        (Code::SipAuthRejected, Cause::Registration, Some(4)),
        (Code::EndpointNotWebrtc, Cause::Registration, Some(4)),
        (Code::TcpTimeout, Cause::NetworkOrTimeout, Some(5)),
        (Code::WsClosedEarly, Cause::NetworkOrTimeout, Some(5)),
        (Code::WsProxyInTheWay, Cause::NetworkOrTimeout, Some(5)),
        (Code::ClientUrlNoPath, Cause::ClientAddress, None),
        (Code::DnsFailed, Cause::ClientAddress, None),
    ] {
        assert_eq!((Cause::of(code), cause.number()), (Some(cause), number), "{code}");
        // As on the wire, where what browsers refuse is an error.
        let mut nobody = ();
        let mut book = Notebook::new(&mut nobody);
        book.find(Finding::new(code).severity(Severity::Error));
        assert_eq!(Report::of(book).cause, Some(cause));
        for lang in [Lang::En, Lang::PtBr] {
            let text = cause.text(lang);
            let said = number.is_none_or(|number| text.contains(&format!("{number} of 5")) || text.contains(&format!("{number} de 5")));
            assert!(said, "{text}");
        }
    }
    assert_eq!(Cause::of(Code::AmiAuthFailed), None);
}

#[test]
fn a_code_that_makes_a_browser_fail_has_a_cause() {
    for &code in Code::ALL.iter().filter(|code| code.severity() == Severity::Error) {
        if report(&[code], None).browser_would != BrowserWould::Connect {
            assert!(Cause::of(code).is_some(), "{code}");
        }
    }
}

#[test]
fn what_registration_alone_breaks_is_never_a_1006() {
    for &code in Code::ALL.iter().filter(|code| Cause::of(**code) == Some(Cause::Registration)) {
        let report = report(&[code], None);
        assert!(report.browser_would < BrowserWould::Fail1006, "{code}");
    }
}
