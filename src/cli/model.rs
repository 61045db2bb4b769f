//! Arguments that say which model, on which library and provider, with how many threads; and opening all that.

use std::path::{Path, PathBuf};

use clap::Args;

use super::cores;
use super::error::CliError;
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
    /// Copies of the model that run side by side, each on its share of the threads [default: one a thread for a small
    /// model on CPU, else one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub sessions: Option<u16>,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// Models up to this size (all copies together) run one copy a thread.
const COPIES_UP_TO_BYTES: u64 = 1 << 30;

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
    pub fn threads(&self, model_bytes: u64) -> Result<Threads, CliError> {
        let total = self.threads.map_or_else(cores::physical, usize::from);
        let small = self.ep.is_processor() && model_bytes.saturating_mul(total as u64) <= COPIES_UP_TO_BYTES;
        let sessions = self.sessions.map_or(if small { total } else { 1 }, usize::from);
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
