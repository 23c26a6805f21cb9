//! News and a receiver → one try to tell it, within its time. What it gives is whether it arrived, is worth trying again, or never will.

use std::{sync::Arc, time::Duration};

use super::{http, mail, secret::SecretError};
use crate::{
    material::anchors::AnchorsError,
    report::notify::{self, Body, News, Place, Topic},
    settings::{Means, Method, Receiver},
};

/// Why it did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// It may arrive later.
    #[error("{0}")]
    Later(String),
    /// It was understood and refused: it will be the next time, too.
    #[error("{0}")]
    Refused(String),
}

impl From<SecretError> for Fault {
    fn from(error: SecretError) -> Self {
        Fault::Later(format!("failed to {error}"))
    }
}

impl From<AnchorsError> for Fault {
    fn from(error: AnchorsError) -> Self {
        Fault::Later(format!("failed to {error}"))
    }
}

/// Tells one receiver.
#[derive(Clone, Debug)]
pub(super) struct Carrier {
    pub(super) receiver: Arc<Receiver>,
    place: Arc<Place>,
}

impl Carrier {
    pub(super) fn new(receiver: Receiver, place: Place) -> Self {
        Carrier { receiver: Arc::new(receiver), place: Arc::new(place) }
    }

    /// Whether this receiver keeps alerts itself, and wants them again and again.
    pub(super) fn keeps_alerts(&self) -> bool {
        match self.receiver.means {
            Means::Alertmanager(_) => true,
            Means::Webhook(_) | Means::Slack(_) | Means::Template(..) | Means::Email(_) => false,
        }
    }

    /// Whether it is anything to this receiver.
    pub(super) fn wants(&self, news: &News) -> bool {
        if self.keeps_alerts() { news.state != notify::State::Notice || news.topic == Topic::Test } else { !news.silent }
    }

    /// One try; what is to be told at once, is.
    pub(super) async fn carry(self, news: Vec<News>) -> Result<(), Fault> {
        match tokio::time::timeout(TRY, self.tell(&news)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Fault::Later(format!("no answer within {} seconds", TRY.as_secs()))),
        }
    }

    async fn tell(&self, news: &[News]) -> Result<(), Fault> {
        let (place, lang) = (&*self.place, self.receiver.lang);
        if let Means::Alertmanager(target) = &self.receiver.means {
            let alerts = notify::alerts(news, place, lang).to_string();
            return http::send(target, "/api/v2/alerts", Method::Post, JSON, alerts).await;
        }
        for news in news {
            let json = || serde_json::to_string(&Body::of(news, place, lang)).map_err(|error| Fault::Refused(error.to_string()));
            match &self.receiver.means {
                Means::Webhook(target) => http::send(target, "", Method::Post, JSON, json()?).await?,
                Means::Slack(target) => http::send(target, "", Method::Post, JSON, notify::slack(news, place, lang)).await?,
                Means::Template(target, template) => {
                    let body = template.fill(&Body::of(news, place, lang)).map_err(Fault::Refused)?;
                    http::send(target, "", template.method, &template.content_type, body).await?;
                }
                Means::Email(email) => {
                    let text = mail::Text { subject: notify::subject(news, place, lang), body: notify::plain(news, place, lang) };
                    mail::send(email, text, news).await?;
                }
                Means::Alertmanager(_) => {}
            }
        }
        Ok(())
    }
}

const JSON: &str = "application/json";
/// For one try, from the name to the last byte of the answer.
const TRY: Duration = Duration::from_secs(10);
