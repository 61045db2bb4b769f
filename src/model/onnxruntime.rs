//! The ONNX Runtime library, opened once for the process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ort::environment::Environment;

use super::ModelError;
use super::operators::{self, StoredWeights};

/// An opened ONNX Runtime.
pub struct OnnxRuntime {
    pub(super) environment: Environment,
    /// What its sessions share.
    pub(super) weights: Arc<StoredWeights>,
    /// The library file.
    pub library: PathBuf,
}

static OPENED: OnceLock<Result<OnnxRuntime, (PathBuf, String)>> = OnceLock::new();

impl OnnxRuntime {
    /// Opens the library. A process has one: later calls return the first, whatever their path.
    ///
    /// `cuda_folders` hold the NVIDIA libraries that its GPU providers need; where CUDA and cuDNN are among them they are
    /// opened too, so that no LD_LIBRARY_PATH is needed.
    ///
    /// # Errors
    /// When it is no ONNX Runtime, too old, or built for another machine.
    pub fn open(library: &Path, cuda_folders: &[PathBuf]) -> Result<&'static Self, ModelError> {
        let opened = OPENED.get_or_init(|| {
            let failed = |reason: String| (library.to_path_buf(), reason);
            let builder = ort::init_from(library).map_err(|error| failed(error.to_string()))?;
            let environment = builder
                .with_name("crossmodal")
                .with_telemetry(false)
                .build()
                .map_err(|error| failed(error.to_string()))?;
            environment.set_log_level(ort::logging::LogLevel::Error);
            preload_cuda(cuda_folders);
            operators::make_known(&environment).map_err(|error| failed(error.to_string()))?;
            Ok(Self { environment, weights: Arc::default(), library: library.to_path_buf() })
        });
        opened
            .as_ref()
            .map_err(|(path, reason)| ModelError::Runtime { path: path.clone(), reason: reason.clone() })
    }

    /// The library's build information, which starts with its version.
    pub fn build_info(&self) -> String {
        ort::info().to_string()
    }
}

/// Opens CUDA and cuDNN from `folders`. What is missing there may still be on the system's own path, so a failure is left
/// to the provider, whose error names the library that it lacks.
fn preload_cuda(folders: &[PathBuf]) {
    let find = |end: &str| folders.iter().find(|folder| folder.ends_with(end)).map(PathBuf::as_path);
    let (cuda, cudnn) = (find("nvidia/cu13/lib"), find("nvidia/cudnn/lib"));
    if cuda.is_some() || cudnn.is_some() {
        let _ = ort::ep::cuda::preload_dylibs(cuda, cudnn);
    }
}

/// The execution providers that the opened library was built with, best first.
#[expect(unsafe_code, reason = "ort has no safe call for the list; the C API's contract is kept right here")]
pub fn execution_providers(_opened: &OnnxRuntime) -> Vec<String> {
    let (mut names, mut count) = (std::ptr::null_mut(), 0);
    // SAFETY: both out-pointers are valid; on success the runtime hands us `count` NUL-terminated strings, which are
    // copied before they are given back with the matching release call.
    unsafe {
        let status = (ort::api().GetAvailableProviders)(&mut names, &mut count);
        if ort::Error::result_from_status(status).is_err() {
            return Vec::new();
        }
        let copied = (0..count)
            .map(|index| {
                std::ffi::CStr::from_ptr(*names.offset(index as isize)).to_string_lossy().into_owned()
            })
            .collect();
        let _ = (ort::api().ReleaseAvailableProviders)(names, count);
        copied
    }
}
