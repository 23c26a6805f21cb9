//! Rows of labels and values → families of metrics. A family without rows is left out.

use std::fmt::Error;

use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

use crate::state::Histogram;

pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

pub(super) fn rows<'a, const N: usize, V: Copy>(rows: &'a [([(&'a str, &'a str); N], V)]) -> Vec<(Labels<'a>, V)> {
    rows.iter().map(|(labels, value)| (labels.as_slice(), *value)).collect()
}

pub(super) struct Writer<'e, 'd>(pub(super) &'e mut DescriptorEncoder<'d>);

impl Writer<'_, '_> {
    pub(super) fn gauge(&mut self, name: &str, help: &str, unit: Option<Unit>, rows: &[(Labels<'_>, f64)]) -> Result<(), Error> {
        self.family(name, help, unit, MetricType::Gauge, rows.iter().map(|(labels, value)| (*labels, ConstGauge::new(*value))))
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, rows: &[(Labels<'_>, u64)]) -> Result<(), Error> {
        self.family(name, help, None, MetricType::Counter, rows.iter().map(|(labels, value)| (*labels, ConstCounter::new(*value))))
    }

    /// Seconds of each stage.
    pub(super) fn histogram(&mut self, name: &str, help: &str, stages: &[(&str, Histogram)]) -> Result<(), Error> {
        let labels: Vec<_> = stages.iter().map(|(stage, _)| [("stage", *stage)]).collect();
        let rows = labels.iter().zip(stages).map(|(labels, (_, histogram))| (labels.as_slice(), Counted(histogram)));
        self.family(name, help, Some(Unit::Seconds), MetricType::Histogram, rows)
    }

    pub(super) fn family<'r, M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        kind: MetricType,
        rows: impl ExactSizeIterator<Item = (Labels<'r>, M)>,
    ) -> Result<(), Error> {
        if rows.len() == 0 {
            return Ok(());
        }
        let mut family = self.0.encode_descriptor(name, help, unit.as_ref(), kind)?;
        for (labels, metric) in rows {
            if labels.is_empty() {
                return metric.encode(family);
            }
            metric.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// A histogram that was counted elsewhere.
struct Counted<'a>(&'a Histogram);

impl EncodeMetric for Counted<'_> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), Error> {
        let seconds = |bound: Option<std::time::Duration>| bound.map_or(f64::INFINITY, |bound| bound.as_secs_f64());
        let buckets: Vec<_> = self.0.buckets().map(|(bound, count)| (seconds(bound), count)).collect();
        encoder.encode_histogram::<NoLabelSet>(self.0.sum().as_secs_f64(), self.0.count(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
