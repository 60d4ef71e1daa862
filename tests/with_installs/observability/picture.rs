//! A picture of the main panels, drawn from what Prometheus answers.

use std::{collections::BTreeMap, fs};

use plotters::{coord::Shift, prelude::*};
use serde_json::Value;

use super::dashboard::Target;
use crate::installs::in_repository;

/// Those that are drawn, by title.
pub(super) const PANELS: [&str; 9] = [
    "Events",
    "Ends",
    "From request to end",
    "Signals",
    "Open and overdue",
    "Requests",
    "Messages handled",
    "Waiting messages",
    "Calls",
];
const SIZE: (u32, u32) = (1500, 1050);
const SHAPE: (usize, usize) = (3, 3);

/// What part of a panel's width its lines get; the rest is for their names.
const WIDTH: f64 = 0.62;
/// So many names find room.
const NAMES: usize = 16;

/// One line: what it is called, and its points.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// Draws what was found, the targets of one panel into one frame.
pub(super) fn draw(found: &[(Target, Vec<Value>)]) {
    let mut panels = BTreeMap::<&str, (&str, Vec<Line>)>::new();
    for (target, series) in found {
        let (unit, lines) = panels.entry(&target.title).or_default();
        *unit = &target.unit;
        lines.extend(series.iter().map(|series| Line::read(series, &target.legend)));
    }
    let folder = in_repository("target/test-artefacts");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("dashboard.svg");
    let all = SVGBackend::new(&file, SIZE).into_drawing_area();
    all.fill(&WHITE).unwrap();
    for (frame, title) in all.split_evenly(SHAPE).iter().zip(PANELS) {
        let (unit, lines) = &panels[title];
        draw_panel(frame, &format!("{title}{}", in_words(unit)), lines);
    }
    all.present().unwrap();
}

/// Grafana's units.
fn in_words(unit: &str) -> &'static str {
    match unit {
        "cps" | "reqps" => " per second",
        "s" => ", seconds",
        _ => "",
    }
}

fn draw_panel(frame: &DrawingArea<SVGBackend<'_>, Shift>, title: &str, lines: &[Line]) {
    let points = || lines.iter().flat_map(|line| &line.points);
    let begin = points().map(|(at, _)| *at).fold(f64::INFINITY, f64::min);
    let end = points().map(|(at, _)| *at).fold(f64::NEG_INFINITY, f64::max);
    let top = points().map(|(_, value)| *value).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(frame)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(24)
        .y_label_area_size(44)
        .build_cartesian_2d(0.0..(end - begin) / WIDTH, 0.0..top.max(0.1) * 1.1)
        .unwrap();
    chart.configure_mesh().x_labels(6).y_labels(6).light_line_style(WHITE).draw().unwrap();
    for (number, line) in lines.iter().enumerate().take(NAMES) {
        let colour = Palette99::pick(number).to_rgba();
        let points = line.points.iter().map(|(at, value)| (at - begin, *value));
        let drawn = chart.draw_series(LineSeries::new(points, colour.stroke_width(2))).unwrap();
        drawn
            .label(line.name.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], colour));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 11))
        .draw()
        .unwrap();
}

impl Line {
    fn read(series: &Value, legend: &str) -> Self {
        let labels = series["metric"].as_object().unwrap().iter();
        let name = labels.fold(legend.to_owned(), |name, (label, value)| {
            name.replace(&format!("{{{{{label}}}}}"), value.as_str().unwrap())
        });
        let points = series["values"].as_array().unwrap().iter().map(|point| {
            let value: f64 = point[1].as_str().unwrap().parse().unwrap();
            (point[0].as_f64().unwrap(), value)
        });
        // A quantile of nothing is not a number.
        Self { name, points: points.filter(|(_, value)| value.is_finite()).collect() }
    }
}
