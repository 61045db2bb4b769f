//! `crossmodal suite list`.

use clap::Args;

use super::print_json;
use crate::cli::error::CliError;
use crate::suite::catalogue::{KNOWN, KnownSuite};

/// `crossmodal suite list`.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Runs `crossmodal suite list`.
pub(super) fn run(arguments: &ListArguments) -> Result<(), CliError> {
    if arguments.json {
        return print_json(&KNOWN);
    }
    let width = |of: fn(&KnownSuite) -> &str| KNOWN.iter().map(|suite| of(suite).len()).max().unwrap_or(0);
    let (names, sizes) = (width(|suite| suite.name), width(|suite| suite.size));
    for KnownSuite { name, about, size, needs } in KNOWN {
        println!("{name:names$}  {size:sizes$}  {about}");
        if !needs.is_empty() {
            println!("{:names$}  needs {needs}", "");
        }
    }
    println!(
        "\nor your own items: a .jsonl or .parquet file, a folder of them, or a pattern such as 'parts/*.parquet'\nsee what one asks: crossmodal suite show NAME"
    );
    Ok(())
}
