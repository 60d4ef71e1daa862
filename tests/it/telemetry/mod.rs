//! What operators see: traces at a real OTLP receiver, metrics in a real scrape, and that the pages
//! and rules that name them name what is there.

mod collector;
mod exporting;
mod metrics;
mod pages;
mod run;
mod scrape;
mod traces;

pub(crate) use collector::Collector;
