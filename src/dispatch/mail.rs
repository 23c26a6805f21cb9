//! One mail → whether the mail server took it. TLS as the settings have it: where it is asked for and cannot be had, nothing is sent.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
    },
};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use super::{carry::Fault, secret};
use crate::{
    report::notify::News,
    settings::{Email, MailTls},
};

/// What a person reads.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) subject: String,
    pub(super) body: String,
}

/// Sends one mail.
pub(super) async fn send(email: &Email, text: Text, news: &News) -> Result<(), Fault> {
    let message = message(email, text, news)?;
    let mut secrets = Vec::new();
    let tls = match email.tls {
        MailTls::None => Tls::None,
        MailTls::Starttls => Tls::Required(parameters(email)?),
        MailTls::Required => Tls::Wrapper(parameters(email)?),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&email.host).port(email.port).tls(tls).timeout(Some(STEP));
    let builder = match &email.account {
        Some((username, password)) => {
            let password = secret::read(password)?;
            let credentials = Credentials::new(username.clone(), password.expose_secret().to_owned());
            secrets.push(password);
            builder.credentials(credentials)
        }
        None => builder,
    };
    let sent = builder.build().send(message).await;
    let Err(error) = sent else { return Ok(()) };
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        if !reason.contains(&next.to_string()) {
            reason = format!("{reason}: {next}");
        }
        cause = next.source();
    }
    let reason = secret::redacted(&reason, &secrets);
    // 53x: of who sends, not of what is sent; somebody will put the right password there.
    let of_account = error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    Err(if error.is_permanent() && !of_account { Fault::Refused(reason) } else { Fault::Later(reason) })
}

fn message(email: &Email, text: Text, news: &News) -> Result<Message, Fault> {
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|error| Fault::Refused(error.to_string()));
    // One thread of mails for one thing: what is resolved answers what was told.
    let digest = |text: &str| Sha256::digest(text).iter().take(12).map(|byte| format!("{byte:02x}")).collect::<String>();
    let thread = format!("<{}@starkeeper>", digest(&news.key));
    let own = format!("<{}@starkeeper>", digest(&format!("{} {:?} {} {}", news.key, news.state, news.at, std::process::id())));
    let mut builder = Message::builder().from(mailbox(&email.from)?).subject(text.subject).message_id(Some(own)).references(thread);
    for to in &email.to {
        builder = builder.to(mailbox(to)?);
    }
    builder.header(ContentType::TEXT_PLAIN).body(text.body).map_err(|error| Fault::Refused(error.to_string()))
}

fn parameters(email: &Email) -> Result<TlsParameters, Fault> {
    let later = |error: &dyn std::fmt::Display| Fault::Later(error.to_string());
    let builder = TlsParameters::builder(email.host.clone());
    let builder = match &email.ca {
        Some(path) => {
            let pem =
                std::fs::read(path).map_err(|error| Fault::Later(format!("failed to read the CA file {}: {error}", path.display())))?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| later(&error))?;
            builder.certificate_store(CertificateStore::None).add_root_certificate(certificate)
        }
        // The image has no CA files of its own.
        None if rustls_native_certs::load_native_certs().certs.is_empty() => builder.certificate_store(CertificateStore::WebpkiRoots),
        None => builder.certificate_store(CertificateStore::Default),
    };
    builder.build().map_err(|error| later(&error))
}

/// For each command and its answer.
const STEP: Duration = Duration::from_secs(5);
