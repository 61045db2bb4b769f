//! Progress for people and for programs: a bar on a terminal, plain lines in a log, JSON on request.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

/// Says a line on standard error. Nobody reading it is no reason to stop.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// How progress is shown (on standard error).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ProgressMode {
    /// A bar on a terminal, lines elsewhere.
    #[default]
    Auto,
    /// A bar with rate and remaining time.
    Bar,
    /// A line now and then.
    Plain,
    /// A JSON object a line.
    Json,
    /// Nothing.
    None,
}

/// Seconds between two plain lines.
const PLAIN_EVERY_SECS: u64 = 10;

pub(super) struct Progress {
    mode: ProgressMode,
    bar: ProgressBar,
    total: u64,
    done: u64,
    failed: usize,
    start: Instant,
    last_line: Instant,
}

impl Progress {
    /// `total` units of work, `skipped` of them done by an earlier process.
    pub fn new(mode: ProgressMode, total: usize, skipped: usize) -> Self {
        let mode = match mode {
            ProgressMode::Auto if std::io::stderr().is_terminal() => ProgressMode::Bar,
            ProgressMode::Auto => ProgressMode::Plain,
            other => other,
        };
        let bar =
            if mode == ProgressMode::Bar { ProgressBar::new(total as u64) } else { ProgressBar::hidden() };
        let template = "{bar:32.cyan/238} {pos}/{len} units  {per_sec}  {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_position(skipped as u64);
        bar.reset_eta();
        let now = Instant::now();
        Self { mode, bar, total: total as u64, done: skipped as u64, failed: 0, start: now, last_line: now }
    }

    /// One more unit, of which `failed` prompts failed; `prompts` were answered or failed by this process so far.
    pub fn advance(&mut self, failed: usize, prompts: usize) {
        self.done += 1;
        self.failed += failed;
        let rate = prompts as f64 / self.start.elapsed().as_secs_f64().max(1e-9);
        match self.mode {
            ProgressMode::Bar => {
                let failures =
                    if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
                self.bar.set_message(format!("{rate:.0} prompts/s{failures}"));
                self.bar.inc(1);
            }
            ProgressMode::Plain => {
                let due = self.last_line.elapsed() >= Duration::from_secs(PLAIN_EVERY_SECS);
                if due || self.done == self.total {
                    self.last_line = Instant::now();
                    note(&format!(
                        "{}/{} units, {prompts} prompts, {rate:.0} prompts/s, {} failed",
                        self.done, self.total, self.failed
                    ));
                }
            }
            ProgressMode::Json => {
                let elapsed_secs = self.start.elapsed().as_secs_f64();
                let object = json!({
                    "units_done": self.done,
                    "units": self.total,
                    "prompts": prompts,
                    "prompts_per_sec": rate,
                    "failed": self.failed,
                    "elapsed_secs": elapsed_secs,
                });
                note(&object.to_string());
            }
            ProgressMode::Auto | ProgressMode::None => {}
        }
    }

    /// Keeps the bar's clock going.
    pub fn tick(&self) {
        self.bar.tick();
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
