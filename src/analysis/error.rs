//! Why an analysis cannot be made: the one error type of this room.

use std::io;
use std::path::PathBuf;

/// What stands between a run's tables and its figures.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// A setting is outside its range.
    #[error("the setting {setting} must be {expected}, but it is {found}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// The range.
        expected: &'static str,
        /// The value given.
        found: String,
    },

    /// The run has no such table.
    #[error(
        "expected the table `{table}` as {} with a folder model=NAME/suite=NAME inside, but there is none; check that \
         this is a run's directory and that the run had a suite that fills this table",
        folder.display()
    )]
    NoTable {
        /// Name of the table.
        table: &'static str,
        /// Where it was looked for.
        folder: PathBuf,
    },

    /// A table's folder holds no part.
    #[error(
        "expected files named part-NNNNN.parquet in {}, but there are none; the run may not have finished its first \
         unit: resume it",
        folder.display()
    )]
    NoParts {
        /// The folder.
        folder: PathBuf,
    },

    /// All parts of a table are without rows.
    #[error("expected rows in the parts of {}, but all of them are empty; resume or repeat the run", folder.display())]
    NoRows {
        /// The folder.
        folder: PathBuf,
    },

    /// A file or folder cannot be read.
    #[error("cannot read {}; check that it is there and that you may read it", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },

    /// A file is no readable Parquet.
    #[error(
        "{} is not a whole Parquet file; delete it and resume the run, which will write this part again",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the reader found.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A column is not there.
    #[error("{} has no column `{column}` (expected {expected}); its columns are: {found}", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The type that it should have.
        expected: &'static str,
        /// The columns that are there.
        found: String,
    },

    /// A column has another type.
    #[error("column `{column}` of {} must be {expected}, but it is {found}", path.display())]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The types accepted.
        expected: &'static str,
        /// The type found.
        found: String,
    },

    /// A value is not one that the column may have.
    #[error("row {row} of {}, column `{column}`: expected {expected}, found {found}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Row of the file, from 0.
        row: usize,
        /// What the column may hold.
        expected: &'static str,
        /// The value found.
        found: String,
    },

    /// A conflict case occurs twice.
    #[error(
        "the item `{item_id}` with control `{control}` has more than one row under {}; two runs may have been written \
         into one directory: analyze each in its own",
        folder.display()
    )]
    DuplicateCase {
        /// The case.
        item_id: String,
        /// Its control.
        control: String,
        /// Folder of the parts.
        folder: PathBuf,
    },

    /// A prompt occurs twice.
    #[error(
        "the item `{item_id}` has more than one row of presentation `{presentation}` in variant `{variant}` under {}; two \
         runs may have been written into one directory: analyze each in its own",
        folder.display()
    )]
    DuplicatePrompt {
        /// The item.
        item_id: String,
        /// How it is shown.
        presentation: String,
        /// In which rendering.
        variant: String,
        /// Folder of the parts.
        folder: PathBuf,
    },

    /// A layer of a case occurs twice.
    #[error(
        "the conflict case `{item_id}` has more than one row of layer {layer} under {}; two runs may have been written into \
         one directory: analyze each in its own",
        folder.display()
    )]
    DuplicateLayer {
        /// The case.
        item_id: String,
        /// The layer, from 1.
        layer: i32,
        /// Folder of the parts.
        folder: PathBuf,
    },

    /// A run is given twice.
    #[error(
        "the run `{run}` on the suite `{suite}` is given twice, the second time as {}; give every run once",
        folder.display()
    )]
    SameRun {
        /// Identifier of the run.
        run: String,
        /// Its suite.
        suite: String,
        /// Where it was found again.
        folder: PathBuf,
    },

    /// A run to compare holds more than one model or suite.
    #[error(
        "expected one model on one suite in {}, found {}; give a run's own directory",
        folder.display(),
        found.join(", ")
    )]
    SeveralPartitions {
        /// The run's directory.
        folder: PathBuf,
        /// Every model and suite in it.
        found: Vec<String>,
    },

    /// Two runs to compare are of suites of different names.
    #[error("expected two runs of one suite, but {} is of `{reference_suite}` and {} of `{run_suite}`",
        reference.display(), run.display())]
    OtherSuite {
        /// Directory of the reference run.
        reference: PathBuf,
        /// Its suite.
        reference_suite: String,
        /// Directory of the run.
        run: PathBuf,
        /// Its suite.
        run_suite: String,
    },

    /// Two runs to compare are of suites of one name and different content.
    #[error(
        "{} and {} are both of the suite `{suite}`, but with other content (its fingerprint is {reference_fingerprint} in \
         the former, {run_fingerprint} in the latter); repeat one of them with the other's --seed, --groups, --prompts, \
         --presentations and --data",
        reference.display(),
        run.display()
    )]
    OtherSuiteContent {
        /// Directory of the reference run.
        reference: PathBuf,
        /// Directory of the run.
        run: PathBuf,
        /// Their suite.
        suite: String,
        /// Head of the reference's fingerprint.
        reference_fingerprint: String,
        /// Head of the run's fingerprint.
        run_fingerprint: String,
    },

    /// Two runs to compare share no prompt.
    #[error(
        "no prompt of {} is in {}: expected rows with the same item_id, group_id, presentation, variant and control; \
         compare runs of the same items",
        run.display(),
        reference.display()
    )]
    NothingJoins {
        /// Directory of the reference run.
        reference: PathBuf,
        /// Directory of the run.
        run: PathBuf,
    },

    /// There are rows, but none that an analysis is about.
    #[error(
        "there is nothing to analyze in {}: expected the table `following` (which suites of conflict cases fill), or rows \
         of the presentations text, image and mixed in `outcomes` (suites that show the same content in several ways)",
        folder.display()
    )]
    NothingToAnalyze {
        /// The run's directory.
        folder: PathBuf,
    },

    /// The parts speak of several runs.
    #[error(
        "the parts in {} come from several runs ({}); analyze each run in its own directory",
        folder.display(),
        runs.join(", ")
    )]
    SeveralRuns {
        /// Folder of the parts.
        folder: PathBuf,
        /// The runs named.
        runs: Vec<String>,
    },

    /// The results cannot be put into Parquet.
    #[error("cannot encode the table `{table}` as Parquet; this is a fault of the program: please report it")]
    EncodeParquet {
        /// Name of the table.
        table: &'static str,
        /// The reason.
        #[source]
        source: parquet::errors::ParquetError,
    },

    /// The results cannot be put into JSON.
    #[error("cannot encode the analysis as JSON; this is a fault of the program: please report it")]
    EncodeJson(#[source] serde_json::Error),
}
