//! Execution providers: what `--ep` chooses.

use ort::ep;
use ort::session::builder::SessionBuilder;

use super::{ModelError, OnnxRuntime, execution_providers};

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
}

impl Provider {
    /// Its name on the command line and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Tensorrt => "tensorrt",
        }
    }

    fn library_name(self) -> &'static str {
        match self {
            Self::Cpu => "CPUExecutionProvider",
            Self::Cuda => "CUDAExecutionProvider",
            Self::Tensorrt => "TensorrtExecutionProvider",
        }
    }

    /// Registers the provider with a session; never falls back silently.
    pub(super) fn register(
        self,
        runtime: &OnnxRuntime,
        builder: SessionBuilder,
    ) -> Result<SessionBuilder, ModelError> {
        let offered = execution_providers(runtime);
        let failed = |reason: String| ModelError::Provider {
            asked: self.as_str(),
            reason,
            library: runtime.library.clone(),
            offered: offered.join(", "),
            advice: self.advice().into(),
        };
        if !offered.iter().any(|name| name == self.library_name()) {
            return Err(failed("the library was built without it".into()));
        }
        let cuda = || ep::CUDA::default().with_tf32(false).build().error_on_failure();
        let providers = match self {
            Self::Cpu => vec![],
            Self::Cuda => vec![cuda()],
            Self::Tensorrt => vec![ep::TensorRT::default().build().error_on_failure(), cuda()],
        };
        builder.with_execution_providers(providers).map_err(|error| failed(error.to_string()))
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
        }
    }
}
