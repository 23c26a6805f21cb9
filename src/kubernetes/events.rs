//! News → Events of `events.k8s.io/v1` on our own pod. What comes while the server is away waits, the newest sixteen of it; the same again
//! becomes a series. What only one replica is to tell is claimed on the Lease first.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};
use tracing::debug;

use super::{
    access::Permitted,
    client::{Api, Fault, Patch},
    lease,
    news::{News, Seen},
    pace::Pace,
};
use crate::{clock, report::Status};

/// News that nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    news: Mutex<VecDeque<News>>,
    came: Notify,
}

impl Waiting {
    /// Gives what had to make room.
    fn put(&self, news: News) -> Option<News> {
        let mut waiting = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = if waiting.len() == MOST { waiting.pop_front() } else { None };
        waiting.push_back(news);
        self.came.notify_one();
        oldest
    }

    async fn take(&self) -> News {
        loop {
            let next = self.news.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match next {
                Some(news) => return news,
                None => self.came.notified().await,
            }
        }
    }
}

/// Looks at each status, and puts what is new in it into the queue.
pub(super) async fn gather(
    api: Arc<Api>,
    mut status: watch::Receiver<Arc<Status>>,
    permitted: watch::Receiver<Permitted>,
    waiting: Arc<Waiting>,
) {
    let mut seen = Seen::default();
    loop {
        let now = Arc::clone(&status.borrow_and_update());
        for news in seen.look(&now) {
            let wanted = { permitted.borrow().events || !permitted.borrow().known };
            if wanted && waiting.put(news).is_some() {
                api.ledger.dropped_event();
            }
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

/// Tells one after the other.
pub(super) async fn tell(api: Arc<Api>, mut permitted: watch::Receiver<Permitted>, doubt: Arc<Notify>, waiting: Arc<Waiting>) {
    let mut told: VecDeque<Told> = VecDeque::new();
    loop {
        let news = waiting.take().await;
        let mut pace = Pace::new();
        loop {
            let Ok(may) = permitted.wait_for(|permitted| permitted.known).await.map(|permitted| permitted.clone()) else { return };
            if !may.events {
                break;
            }
            let sent = match claim(&api, &may, &news).await {
                Ok(true) => send(&api, &may, &news, &mut told).await,
                Ok(false) => break,
                Err(fault) => Err(fault),
            };
            match sent {
                Ok(()) => break,
                Err(Fault::Unreachable(_) | Fault::Conflict | Fault::Gone) => {}
                Err(Fault::Forbidden(_)) => doubt.notify_one(),
                Err(fault @ (Fault::NotFound | Fault::Refused(_))) => {
                    debug!(%fault, reason = news.reason, "an Event was not taken");
                    break;
                }
            }
            sleep(pace.next()).await;
        }
    }
}

/// Whether this pod is the one to tell it.
async fn claim(api: &Api, may: &Permitted, news: &News) -> Result<bool, Fault> {
    match (&may.order, news.rejected) {
        (Some(lease), Some(rejected)) => match lease::claim(api, lease, rejected).await {
            Ok(ours) => Ok(ours),
            Err(Fault::Unreachable(reason)) => Err(Fault::Unreachable(reason)),
            // Better told twice than not at all.
            Err(Fault::Forbidden(_) | Fault::NotFound | Fault::Conflict | Fault::Gone | Fault::Refused(_)) => Ok(true),
        },
        (None, _) | (_, None) => Ok(true),
    }
}

/// What was told, so that the same again counts up.
#[derive(Debug)]
struct Told {
    reason: &'static str,
    note: String,
    name: String,
    count: u32,
}

async fn send(api: &Api, may: &Permitted, news: &News, told: &mut VecDeque<Told>) -> Result<(), Fault> {
    let events = |name: Option<&str>| api.place.path("events.k8s.io", "events", name);
    if let Some(before) = told.iter_mut().find(|told| told.reason == news.reason && told.note == news.note) {
        let series = json!({"series": {"count": before.count + 1, "lastObservedTime": lease::micro(news.at)}});
        match api.patch::<IgnoredAny>(&events(Some(&before.name)), Patch::Merge, &series).await {
            // Events live an hour: then it is a new one.
            Err(Fault::NotFound) => told.retain(|told| told.reason != news.reason || told.note != news.note),
            answer => {
                before.count += u32::from(answer.is_ok());
                return answer.map(|_| ());
            }
        }
    }
    let name = format!("{}.{:x}", api.place.pod.chars().take(230).collect::<String>(), clock::wall().as_nanosecond());
    let event = Event {
        metadata: ObjectMeta { name: Some(name.clone()), namespace: Some(api.place.namespace.clone()), ..ObjectMeta::default() },
        event_time: Some(MicroTime(news.at)),
        reporting_controller: Some("starkeeper.dev/agent".to_owned()),
        reporting_instance: Some(api.place.pod.chars().take(128).collect()),
        action: Some("KeepCertificate".to_owned()),
        reason: Some(news.reason.to_owned()),
        type_: Some(if news.warning { "Warning" } else { "Normal" }.to_owned()),
        note: Some(news.note.clone()),
        regarding: Some(ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: Some(api.place.pod.clone()),
            namespace: Some(api.place.namespace.clone()),
            uid: may.uid.clone(),
            ..ObjectReference::default()
        }),
        ..Event::default()
    };
    api.create::<IgnoredAny>(&events(None), &event).await?;
    told.push_back(Told { reason: news.reason, note: news.note.clone(), name, count: 1 });
    if told.len() > MOST {
        told.pop_front();
    }
    Ok(())
}

/// News that wait, and Events that are remembered.
const MOST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_much_news_the_newest_stays() {
        let news = |number: usize| News {
            reason: "CertificateServed",
            warning: false,
            note: number.to_string(),
            rejected: None,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let waiting = Waiting::default();
        let made_room: Vec<_> = (0..20).filter_map(|number| waiting.put(news(number))).map(|news| news.note).collect();
        assert_eq!(made_room, ["0", "1", "2", "3"]);
        let left: Vec<_> = waiting.news.lock().unwrap().iter().map(|news| news.note.clone()).collect();
        assert_eq!((left.len(), left[0].as_str(), left[15].as_str()), (16, "4", "19"));
    }
}
