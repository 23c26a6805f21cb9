//! The Lease ⇄ [`Record`]: annotations that a person can read, and the fields that `kubectl get lease` shows. What others wrote on it stays. A write
//! is for the version that was read: of two at once, one is told so and reads again.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    access::LEASES,
    client::{Api, Fault},
    turns::{self, LEASE, Outcome, Record, Taken},
};
use crate::{clock, material::Digest};

/// The Lease as it was read; `None`: there is none.
pub(super) type Read = Option<Value>;

pub(super) async fn read(api: &Api, name: &str) -> Result<Read, Fault> {
    match api.get::<Value>(&api.place.path(LEASES, "leases", Some(name))).await {
        Ok(lease) => Ok(Some(lease)),
        Err(Fault::NotFound) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Puts this in the place of what was read.
pub(super) async fn write(api: &Api, name: &str, read: Read, record: &Record) -> Result<(), Fault> {
    let there = read.is_some();
    let lease = object(read, name, &api.place.namespace, record, clock::wall());
    if there {
        api.replace::<serde::de::IgnoredAny>(&api.place.path(LEASES, "leases", Some(name)), &lease).await.map(|_| ())
    } else {
        api.create::<serde::de::IgnoredAny>(&api.place.path(LEASES, "leases", None), &lease).await.map(|_| ())
    }
}

/// Whether this pod is the one that reports a generation that all reject.
pub(super) async fn claim(api: &Api, name: &str, rejected: Digest) -> Result<bool, Fault> {
    loop {
        let stands = read(api, name).await?;
        let Some(next) = turns::claim(stands.as_ref().map(record).as_ref(), &api.place.pod, &hex(rejected)) else { return Ok(false) };
        match write(api, name, stands, &next).await {
            Err(Fault::Conflict) => {}
            written => return written.map(|()| true),
        }
    }
}

/// What the Lease says. What cannot be read says nothing.
pub(super) fn record(lease: &Value) -> Record {
    let said = |key: &str| lease["metadata"]["annotations"][format!("{OURS}{key}")].as_str().unwrap_or_default();
    let outcome = |word: &str| match word {
        "proved" => Outcome::Proved,
        "failed" => Outcome::Failed,
        _ => Outcome::Open,
    };
    let pairs = |key: &str| -> Vec<(String, String)> {
        said(key).split_whitespace().filter_map(|pair| pair.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    Record {
        generation: said("generation").to_owned(),
        outcome: outcome(said("outcome")),
        by: said("by").to_owned(),
        found: said("found").to_owned(),
        turns: pairs("turns").into_iter().map(|(pod, beat)| Taken { pod, beat }).collect(),
        former: pairs("former").into_iter().map(|(generation, word)| (generation, outcome(&word))).collect(),
        rejected: pairs("rejected").pop(),
    }
}

fn object(read: Read, name: &str, namespace: &str, record: &Record, now: Timestamp) -> Value {
    let word = |outcome: Outcome| match outcome {
        Outcome::Open => "open",
        Outcome::Proved => "proved",
        Outcome::Failed => "failed",
    };
    let list = |pairs: Vec<String>| pairs.join(" ");
    let mut lease = read.unwrap_or_else(|| {
        json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "starkeeper"}},
        })
    });
    for (key, value) in [
        ("generation", record.generation.clone()),
        ("outcome", if record.generation.is_empty() { String::new() } else { word(record.outcome).to_owned() }),
        ("by", record.by.clone()),
        ("found", record.found.clone()),
        ("turns", list(record.turns.iter().map(|taken| format!("{}={}", taken.pod, taken.beat)).collect())),
        ("former", list(record.former.iter().map(|(generation, outcome)| format!("{generation}={}", word(*outcome))).collect())),
        ("rejected", record.rejected.as_ref().map(|(generation, by)| format!("{generation}={by}")).unwrap_or_default()),
    ] {
        let annotations = &mut lease["metadata"]["annotations"];
        if !annotations.is_object() {
            *annotations = json!({});
        }
        let key = format!("{OURS}{key}");
        if value.is_empty() {
            annotations.as_object_mut().and_then(|annotations| annotations.remove(&key));
        } else {
            annotations[key] = json!(value);
        }
    }
    let holder = record.turns.first().map(|taken| taken.pod.clone());
    let same = holder.is_some() && lease["spec"]["holderIdentity"].as_str() == holder.as_deref();
    let acquired = lease["spec"]["acquireTime"].as_str().filter(|_| same).map(str::to_owned);
    lease["spec"] = match holder {
        Some(holder) => json!({
            "holderIdentity": holder,
            "leaseDurationSeconds": LEASE.as_secs(),
            "acquireTime": acquired.unwrap_or_else(|| micro(now)),
            "renewTime": micro(now),
        }),
        None => json!({}),
    };
    lease
}

/// What a generation is called where people may read it.
pub(super) fn hex(digest: Digest) -> String {
    digest.0[..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As Kubernetes writes a `MicroTime`.
pub(super) fn micro(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// Before each of our annotations.
const OURS: &str = "starkeeper.dev/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_what_others_wrote_stays() {
        let whole = Record {
            generation: "g2".into(),
            outcome: Outcome::Failed,
            by: "pbx-0".into(),
            found: "tls-failed".into(),
            turns: vec![Taken { pod: "pbx-0".into(), beat: "17".into() }, Taken { pod: "pbx-1".into(), beat: "2".into() }],
            former: vec![("g1".into(), Outcome::Proved), ("g0".into(), Outcome::Failed)],
            rejected: Some(("bad".into(), "pbx-1".into())),
        };
        let theirs = json!({"metadata": {"name": "l", "resourceVersion": "7", "annotations": {"helm.sh/x": "y"}, "labels": {"a": "b"}}});
        let now: Timestamp = "2026-11-23T04:30:03.5Z".parse().unwrap();
        let lease = object(Some(theirs), "l", "voip", &whole, now);
        assert_eq!(record(&lease), whole);
        assert_eq!((&lease["metadata"]["annotations"]["helm.sh/x"], &lease["metadata"]["labels"]["a"]), (&json!("y"), &json!("b")));
        assert_eq!(lease["metadata"]["resourceVersion"], "7");
        assert_eq!(
            (&lease["spec"]["holderIdentity"], &lease["spec"]["renewTime"]),
            (&json!("pbx-0"), &json!("2026-11-23T04:30:03.500000Z"))
        );
        let emptied = object(Some(lease), "l", "voip", &Record::default(), now);
        assert_eq!(record(&emptied), Record::default());
        assert_eq!(emptied["metadata"]["annotations"], json!({"helm.sh/x": "y"}));
        assert_eq!(emptied["spec"], json!({}));
        assert_eq!(record(&object(None, "l", "voip", &whole, now)), whole);
    }

    #[test]
    fn a_lease_of_somebody_else_says_nothing() {
        for lease in [json!({}), json!({"metadata": {"annotations": {"starkeeper.dev/turns": "= x=", "starkeeper.dev/former": "=="}}})] {
            assert_eq!(record(&lease).generation, "", "{lease}");
        }
    }
}
