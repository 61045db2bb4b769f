//! Arguments that say which model, on which library and provider, with how many threads; and opening all that.

use std::path::{Path, PathBuf};

use clap::Args;

use super::cores;
use super::error::CliError;
use super::memory;
use super::progress::note;
use super::runtime::{LibraryArgs, Opened};
use crate::model::{
    Arithmetic, Graphs, Model, ModelDirectory, OnnxRuntime, Precision, Probe, Provider, ProviderOptions,
    SessionSettings, execution_providers,
};
use crate::runtime::{self, Flavor, Found};

/// Which model and how it runs.
#[derive(Debug, Clone, Args)]
pub(super) struct ModelArguments {
    /// Directory of the exported model, as onnx-community publishes it or export_scripts/ writes it
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    #[command(flatten)]
    pub session: SessionArguments,
}

/// How a model runs.
#[derive(Debug, Clone, Args)]
pub(super) struct SessionArguments {
    /// Weights to use: the graph files of that suffix (for vision encoder and embedding the plain files, where those are
    /// missing)
    #[arg(long, value_enum, default_value_t = Precision::Fp32)]
    pub precision: Precision,
    /// Execution provider
    #[arg(long, value_enum, default_value_t = Provider::Cpu, env = "CROSSMODAL_EP")]
    pub ep: Provider,
    /// How products of f32 numbers are computed; what is not f32 is faster, and part of the run's settings as it changes
    /// its numbers (relative errors of features about 0.01 with bf16)
    #[arg(long, value_enum, default_value_t = Arithmetic::F32)]
    pub arithmetic: Arithmetic,
    /// What becomes of graphs on the processor; it changes speed, and numbers by rounding, so that it is part of the run's settings
    #[arg(long, value_enum, default_value_t = Graphs::Own)]
    pub graphs: Graphs,
    /// GPU to run on, of several (cuda, tensorrt)
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub device: u16,
    /// Threads that run the model [default: the physical cores this process may use]
    ///
    /// Prompts are prepared ahead of the model on as many threads; by default on all logical ones, since preparation is done
    /// in a fraction of the model's time and fits between. Affinity (taskset) and cgroup quotas (containers, SLURM) are
    /// respected. Results do not depend on it.
    #[arg(long, value_name = "N", env = "CROSSMODAL_THREADS", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Copies of the model that run side by side, each on its share of the threads [default on CPU: one a thread, as far as 4 GiB
    /// (and a quarter of the memory) hold their weights and there are units to run; else one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub sessions: Option<u16>,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// Copies of a model have this size at most, all together, and that of a share of the memory: a thread that has a copy of its own waits
/// for no other one. Copies count as a whole each: what is quantized is in memory once a copy, and where fp32 weights are shared
/// (linear layers on processors with AVX-512) each copy still has activations, keys and values of its own.
const COPIES_UP_TO_BYTES: u64 = 4 << 30;
const COPIES_UP_TO_MEMORY: u64 = 4;

/// The memory of a machine that does not tell.
const UNKNOWN_MEMORY: u64 = 4 << 30;

/// Most copies of a model that run so many units on so many threads with as many for each.
fn copies(model_bytes: u64, units: usize, threads: usize, memory: u64) -> usize {
    let room = COPIES_UP_TO_BYTES.min(memory / COPIES_UP_TO_MEMORY);
    let fits = |copies: usize| model_bytes.saturating_mul(copies as u64) <= room;
    (2..=threads.min(units)).rev().find(|&copies| threads.is_multiple_of(copies) && fits(copies)).unwrap_or(1)
}

/// Threads and how they are shared out. Shapes speed only, never a result.
///
/// Products of matrices keep the arithmetic of a core busy, so that a second thread on it (SMT) only gets in the way;
/// preparing a prompt does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Threads {
    /// That prepare prompts.
    pub preparing: usize,
    /// Copies of the model.
    pub sessions: usize,
    /// Of each copy.
    pub intra: usize,
}

impl SessionArguments {
    /// For a model of so many bytes and a run of so many units; a unit runs on one copy, so that more copies than units would idle.
    pub fn threads(&self, model_bytes: u64, units: usize) -> Result<Threads, CliError> {
        let total = self.threads.map_or_else(cores::physical, usize::from);
        let by_size = || match self.ep.is_processor() {
            true => copies(model_bytes, units, total, memory::total().unwrap_or(UNKNOWN_MEMORY)),
            false => 1,
        };
        let sessions = self.sessions.map_or_else(by_size, usize::from);
        if sessions > total {
            return Err(CliError::Arguments(format!(
                "--sessions {sessions} needs as many threads at least, and there are {total} (--threads)"
            )));
        }
        let preparing = self.threads.map_or_else(cores::logical, usize::from);
        Ok(Threads { preparing, sessions, intra: total / sessions })
    }

    /// The provider as the manifest has it: with whatever changes numbers.
    pub fn provider_name(&self) -> String {
        let mut name = self.ep.as_str().to_string();
        if self.arithmetic != Arithmetic::F32 {
            name += &format!("-{}", self.arithmetic.as_str());
        }
        if self.graphs != Graphs::Own && self.ep.is_processor() {
            name += &format!("-{}-graphs", self.graphs.as_str());
        }
        name
    }

    /// Finds and opens the library that has the provider; with its version.
    pub fn open_runtime(&self, install: bool) -> Result<(&'static OnnxRuntime, String), CliError> {
        let arithmetics = self.ep.arithmetics();
        if !arithmetics.contains(&self.arithmetic) {
            let known: Vec<&str> = arithmetics.iter().map(|arithmetic| arithmetic.as_str()).collect();
            return Err(CliError::Arguments(format!(
                "--arithmetic {} is not for --ep {}, which computes in {}",
                self.arithmetic.as_str(),
                self.ep.as_str(),
                known.join(" or ")
            )));
        }
        let explicit = self.library.ort_dylib.as_deref();
        let flavor = match self.ep {
            Provider::Cpu => Flavor::Cpu,
            Provider::Cuda | Provider::Tensorrt => Flavor::Gpu,
            Provider::Openvino => Flavor::Openvino,
        };
        let found = if install && flavor == Flavor::Cpu {
            runtime::find_or_install(explicit, &mut |line| eprintln!("{line}"))?
        } else {
            runtime::find_build(explicit, flavor)?
        };
        let runtime = OnnxRuntime::open(&found.path, &found.cuda_dirs)?;
        let version = found.version.clone().unwrap_or_else(|| runtime.build_info());
        Ok((runtime, version))
    }

    /// Loads every copy of the model, side by side.
    pub fn load(
        &self,
        runtime: &OnnxRuntime,
        directory: &ModelDirectory,
        threads: Threads,
        probe: Probe,
    ) -> Result<Vec<Model>, CliError> {
        let engines = match self.ep {
            Provider::Tensorrt => {
                runtime::cache_folder(&Path::new("tensorrt").join(directory.fingerprint()?))
            }
            _ => None,
        };
        let options = ProviderOptions {
            arithmetic: self.arithmetic,
            device: self.device,
            engines: engines.as_deref(),
            ..ProviderOptions::default()
        };
        let settings = SessionSettings {
            provider: self.ep,
            options,
            intra_threads: threads.intra,
            probe,
            graphs: self.graphs,
        };
        let first = Model::load(runtime, directory, settings)?;
        if self.ep != Provider::Cpu {
            let placements: Vec<String> = first.placements().iter().map(ToString::to_string).collect();
            note(&format!("note: {}", placements.join("; ")));
        }
        if self.ep == Provider::Tensorrt && self.arithmetic == Arithmetic::F32 {
            let forbidden = std::env::var_os("NVIDIA_TF32_OVERRIDE").is_some_and(|value| value == "0");
            if !forbidden {
                note(
                    "note: TensorRT rounds f32 products to TF32 unless NVIDIA_TF32_OVERRIDE=0 is in the environment",
                );
            }
        }
        let mut models = vec![first];
        for _ in 1..threads.sessions {
            models.push(Model::load(runtime, directory, settings)?);
        }
        Ok(models)
    }
}

/// Version and execution providers of a library, for `crossmodal runtime`.
pub(super) fn describe_library(found: &Found) -> Opened {
    let runtime = OnnxRuntime::open(&found.path, &found.cuda_dirs).map_err(|error| error.to_string())?;
    let version = found.version.clone().unwrap_or_else(|| runtime.build_info());
    Ok((version, execution_providers(runtime)))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        session: SessionArguments,
    }

    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;

    #[test]
    fn a_thread_has_a_copy_where_memory_holds_them_and_there_are_units() {
        assert_eq!(copies(MIB, 100, 4, 16 * GIB), 4);
        assert_eq!(copies(MIB, 3, 4, 16 * GIB), 2, "shares of the threads are equal");
        assert_eq!(copies(MIB, 1, 4, 16 * GIB), 1);
        assert_eq!(copies(MIB, 0, 4, 16 * GIB), 1, "a shard may have none");
        assert_eq!(copies(GIB, 100, 4, 32 * GIB), 4);
        assert_eq!(copies(GIB, 100, 64, 512 * GIB), 4, "four GiB at most");
        assert_eq!(copies(GIB, 100, 4, 8 * GIB), 2, "a quarter of the memory");
        assert_eq!(copies(3 * GIB, 100, 4, 512 * GIB), 1);
    }

    #[test]
    fn who_asks_for_sessions_gets_them() {
        let shared = |line: &[&str], units| {
            let line = Line::parse_from([&["run", "--threads", "4"], line].concat());
            line.session.threads(MIB, units).map(|threads| (threads.sessions, threads.intra))
        };
        assert_eq!(shared(&[], 2).unwrap(), (2, 2));
        assert_eq!(shared(&["--sessions", "4"], 1).unwrap(), (4, 1));
        assert_eq!(shared(&["--ep", "cuda"], 100).unwrap(), (1, 4));
        assert!(shared(&["--sessions", "5"], 100).is_err());
    }
}
