//! Execution providers: what `--ep` chooses, and how each is set up.

use std::path::Path;

use ort::ep::cuda::ConvAlgorithmSearch;
use ort::ep::{
    self, ArbitrarilyConfigurableExecutionProvider, ArenaExtendStrategy, ExecutionProviderDispatch,
};
use ort::session::builder::SessionBuilder;

use super::tensorrt::{self, ShapeRange};
use super::{GraphFile, ModelError, OnnxRuntime, execution_providers};

/// Where the graphs run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU by CUDA.
    Cuda,
    /// An NVIDIA GPU by TensorRT, with CUDA for what TensorRT does not take.
    Tensorrt,
    /// The processor by OpenVINO for the vision encoder; the other graphs as with `cpu`, which is faster for them.
    Openvino,
}

/// How products of f32 numbers are computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Arithmetic {
    /// As f32.
    #[default]
    F32,
    /// Rounded to TF32 (10 bits of mantissa); CUDA and TensorRT.
    Tf32,
    /// Rounded to bfloat16 (7 bits of mantissa); OpenVINO, on processors with AVX-512 bf16 or AMX.
    Bf16,
}

/// What a provider is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProviderOptions<'a> {
    /// How products are computed; [`Provider::arithmetics`] lists what a provider can do.
    pub arithmetic: Arithmetic,
    /// Which GPU, from 0.
    pub device: u16,
    /// Where TensorRT keeps what it has built; without, it builds engines anew each time.
    pub engines: Option<&'a Path>,
    /// What TensorRT builds engines for; empty: the shapes that come.
    pub shapes: &'a [ShapeRange],
}

impl Provider {
    /// Its name on the command line and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Tensorrt => "tensorrt",
            Self::Openvino => "openvino",
        }
    }

    /// Its names in ONNX Runtime, its own first, then what it brings along.
    pub(super) fn library_names(self) -> &'static [&'static str] {
        match self {
            Self::Cpu => &["CPUExecutionProvider"],
            Self::Cuda => &["CUDAExecutionProvider"],
            Self::Tensorrt => &["TensorrtExecutionProvider", "CUDAExecutionProvider"],
            Self::Openvino => &["OpenVINOExecutionProvider"],
        }
    }

    /// What it can be asked for, the default first.
    pub fn arithmetics(self) -> &'static [Arithmetic] {
        match self {
            Self::Cpu => &[Arithmetic::F32],
            Self::Cuda | Self::Tensorrt => &[Arithmetic::F32, Arithmetic::Tf32],
            Self::Openvino => &[Arithmetic::F32, Arithmetic::Bf16],
        }
    }

    /// Whether all of it runs on the processor.
    pub fn is_processor(self) -> bool {
        matches!(self, Self::Cpu | Self::Openvino)
    }

    /// The provider that runs a graph of the model. OpenVINO takes the vision encoder only: the decoder's shapes grow with
    /// each token, and there it is several times slower than ONNX Runtime's own provider.
    pub(super) fn of_graph(self, graph: GraphFile) -> Self {
        match self {
            Self::Openvino if graph != GraphFile::VisionEncoder => Self::Cpu,
            chosen => chosen,
        }
    }

    /// Registers the provider with a session; never falls back silently.
    pub(super) fn register(
        self,
        runtime: &OnnxRuntime,
        builder: SessionBuilder,
        options: ProviderOptions,
        threads: usize,
    ) -> Result<SessionBuilder, ModelError> {
        let offered = execution_providers(runtime);
        if !offered.iter().any(|name| name == self.library_names()[0]) {
            return Err(self.unavailable(runtime, "the library was built without it".into()));
        }
        let providers = match self {
            Self::Cpu => vec![],
            Self::Cuda => vec![cuda(options)],
            Self::Tensorrt => vec![tensorrt::provider(options).build().error_on_failure(), cuda(options)],
            Self::Openvino => vec![openvino(options, threads)],
        };
        builder
            .with_execution_providers(providers)
            .map_err(|error| self.unavailable(runtime, error.to_string()))
    }

    /// The error that says why the provider cannot be had, and what to do.
    pub(super) fn unavailable(self, runtime: &OnnxRuntime, reason: String) -> ModelError {
        ModelError::Provider {
            asked: self.as_str(),
            reason,
            library: runtime.library.clone(),
            offered: execution_providers(runtime).join(", "),
            advice: self.advice().into(),
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Cpu => "every ONNX Runtime has the CPU provider: the library is broken",
            Self::Cuda => {
                "`crossmodal runtime install --gpu` fetches a library with CUDA; the machine needs an NVIDIA driver, CUDA 13 and cuDNN 9"
            }
            Self::Tensorrt => {
                "`crossmodal runtime install --gpu` fetches a library with TensorRT support; the machine needs an NVIDIA driver, CUDA 13, cuDNN 9 and TensorRT 10"
            }
            Self::Openvino => {
                "`crossmodal runtime install --openvino` fetches a library with OpenVINO; leave --ort-dylib and ORT_DYLIB_PATH out to have it found"
            }
        }
    }
}

impl Arithmetic {
    /// Its name on the command line and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        }
    }
}

/// CUDA. Batches differ in shape from call to call: an exhaustive search for the best convolution would be repeated for
/// each, and an arena that doubles would hold twice what the longest batch needs.
fn cuda(options: ProviderOptions) -> ExecutionProviderDispatch {
    ep::CUDA::default()
        .with_device_id(i32::from(options.device))
        .with_tf32(options.arithmetic == Arithmetic::Tf32)
        .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
        .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested)
        .build()
        .error_on_failure()
}

/// OpenVINO on the processor. Its own options for precision and threads are ignored or deprecated where `load_config`
/// speaks; that is the text of a JSON object, one entry a device.
fn openvino(options: ProviderOptions, threads: usize) -> ExecutionProviderDispatch {
    let device = serde_json::json!({
        "INFERENCE_PRECISION_HINT": options.arithmetic.as_str(),
        "INFERENCE_NUM_THREADS": threads.to_string(),
        "NUM_STREAMS": "1",
    });
    ep::OpenVINO::default()
        .with_device_type("CPU")
        .with_arbitrary_config("load_config", serde_json::json!({ "CPU": device }))
        .build()
        .error_on_failure()
}
