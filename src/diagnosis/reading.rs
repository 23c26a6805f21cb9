//! JSON as [`Rendered`](super::Rendered) writes it → a finding again, with its evidence in the order in which it stands. A code that is not
//! of this version is refused.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use super::{Code, Evidence, Value};

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        name.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Evidence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Evidence;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("evidence by key")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Evidence, M::Error> {
        let mut evidence = Evidence::default();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            evidence.0.push((Cow::Owned(key), value));
        }
        Ok(evidence)
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Code, Finding, Lang, Severity};

    #[test]
    fn a_finding_read_back_says_the_same_in_the_same_order() {
        let finding = Finding::new(Code::LeafExpiring)
            .severity(Severity::Error)
            .with("file", "/tls/tls.crt")
            .with("notAfter", "2026-12-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap())
            .with("line", 7)
            .with("expected", vec!["a.example".to_owned(), "b.example".to_owned()])
            .with("address", "pbx:8089");
        for lang in Lang::ALL {
            let json = serde_json::to_string(&finding.rendered(*lang)).unwrap();
            let read: Finding = serde_json::from_str(&json).unwrap();
            assert_eq!((read.code, read.severity), (finding.code, finding.severity));
            assert_eq!(serde_json::to_string(&read.rendered(*lang)).unwrap(), json);
        }
    }

    #[test]
    fn a_code_of_another_version_is_refused() {
        let json = r#"{"code":"from-the-future","severity":"error","evidence":{}}"#;
        assert!(serde_json::from_str::<Finding>(json).is_err());
    }
}
