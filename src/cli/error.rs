//! Every error that ends the program, and the exit code that a scheduler sees.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::analysis::AnalysisError;
use crate::engine::pipeline::PipelineError;
use crate::model::ModelError;
use crate::record::RecordError;
use crate::runtime::RuntimeError;
use crate::suite::SuiteError;

/// `EX_TEMPFAIL` of sysexits.h: try again.
const EXIT_TRY_AGAIN: u8 = 75;

/// What ends the program.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error(transparent)]
    Suite(#[from] SuiteError),
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError<RecordError>),
    #[error("{0}")]
    Arguments(String),
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("interrupted after {done} of {units} units; run the same command again and it goes on")]
    Interrupted { done: usize, units: usize },
    #[error("all {rows} prompts failed; the first: {first}")]
    AllFailed { rows: usize, first: String },
}

impl CliError {
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Interrupted { .. } => ExitCode::from(EXIT_TRY_AGAIN),
            Self::Arguments(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
