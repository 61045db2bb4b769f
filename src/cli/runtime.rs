//! `crossmodal runtime`: which ONNX Runtime is used, why that one, and how to get one.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::runtime::{self, Flavor, Found, Looked, Outcome, RuntimeError};

/// `--ort-dylib`, for every command that runs a model.
#[derive(Debug, Clone, Default, Args)]
pub struct LibraryArgs {
    /// The ONNX Runtime library to use: a file, or a directory that holds it. [env: ORT_DYLIB_PATH]
    ///
    /// Without it the library is searched for in the active Python environment (packages onnxruntime,
    /// onnxruntime-gpu and onnxruntime-openvino), beside the executable, and in the cache. What is named here is used or refused, never replaced.
    #[arg(long, value_name = "PATH")]
    pub ort_dylib: Option<PathBuf>,
}

/// Show which ONNX Runtime is used, or install one.
///
/// crossmodal opens ONNX Runtime when it runs; it does not contain it. This command shows every place that is searched, in
/// order, what was found there, which library is used, and its execution providers (CPU, CUDA, TensorRT, ...).
///
/// Nothing is ever downloaded but by `crossmodal runtime install` and by commands that say so.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct RuntimeArgs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    library: LibraryArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install a tested ONNX Runtime into the cache, with this machine's pip.
    ///
    /// The wheel is fetched by `python3 -m pip download`, checked against a SHA-256 that is part of this program, and only
    /// its libraries are unpacked, into $CROSSMODAL_CACHE (or ~/.cache/crossmodal) under runtime/. No Python environment is
    /// changed.
    Install(InstallArgs),
}

#[derive(Debug, Args)]
struct InstallArgs {
    /// Install the CUDA build, with the CUDA 13 and cuDNN 9 libraries that it needs: 1.6 GB to download (24 MB without).
    ///
    /// The NVIDIA driver must be there already, and TensorRT is not included.
    #[arg(long, conflicts_with = "openvino")]
    gpu: bool,
    /// Install the OpenVINO build (an older release), for `--ep openvino`: 84 MB to download, 250 MB on the disk.
    ///
    /// It stands beside the other builds and is used by `--ep openvino` only, unless there is no other.
    #[arg(long)]
    openvino: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What opening the library told: its version and its execution providers, or why it could not be opened.
pub type Opened = Result<(String, Vec<String>), String>;

/// Runs the command. `providers` opens the library, which only `model/` may do.
///
/// # Errors
/// No library is found, it cannot be installed, or it cannot be opened.
pub fn run(args: RuntimeArgs, providers: impl FnOnce(&Found) -> Opened) -> Result<(), RuntimeError> {
    let (looked, decision, json) = match args.command {
        Some(Command::Install(install)) => {
            let flavor = match (install.gpu, install.openvino) {
                (true, _) => Flavor::Gpu,
                (_, true) => Flavor::Openvino,
                _ => Flavor::Cpu,
            };
            let mut progress = |line: &str| {
                // A closed standard error is no reason to stop.
                let _ = writeln!(io::stderr(), "{line}");
            };
            (Vec::new(), Ok(runtime::install(flavor, &mut progress)?), install.json)
        }
        None => {
            let report = runtime::search_report(args.library.ort_dylib.as_deref());
            (report.looked, report.decision, args.json)
        }
    };
    let opened = decision.as_ref().ok().map(providers);
    let text = if json {
        format!("{:#}\n", as_json(&looked, &decision, opened.as_ref()))
    } else {
        as_text(&looked, decision.as_ref().ok(), opened.as_ref())
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| RuntimeError::io("print", "standard output".as_ref(), source))?;
    let found = decision?;
    match opened {
        Some(Err(reason)) => Err(RuntimeError::Unloadable { path: found.path, origin: found.origin, reason }),
        _ => Ok(()),
    }
}

fn as_text(looked: &[Looked], found: Option<&Found>, opened: Option<&Opened>) -> String {
    let mut text = String::new();
    if !looked.is_empty() {
        text += "Searched, in this order:\n";
        for place in looked {
            let is_used = matches!(&place.outcome, Outcome::Suitable(one) if Some(one) == found);
            let mark = if is_used { '*' } else { ' ' };
            text += &format!("{mark} {}: {}\n", place.origin, place.outcome);
        }
        text += "\n";
    }
    let Some(found) = found else { return text };
    text += &format!("ONNX Runtime         {}\n", found.path.display());
    match opened {
        Some(Ok((version, providers))) => {
            text += &format!("version              {version}\n");
            text += &format!("execution providers  {}\n", providers.join(", "));
        }
        _ => {
            text += &format!(
                "version              {} (not opened)\n",
                found.version.as_deref().unwrap_or("unknown")
            )
        }
    }
    for dir in &found.cuda_dirs {
        text += &format!("CUDA libraries       {}\n", dir.display());
    }
    if found.gpu_build && found.cuda_dirs.is_empty() {
        text += "CUDA libraries       none as Python wheels; CUDA 13 and cuDNN 9 must be on the system's library path, or:\n";
        text += "                     python3 -m pip install nvidia-cuda-runtime~=13.0 nvidia-cublas~=13.0 nvidia-cufft~=12.0 \
                 nvidia-curand~=10.0 nvidia-cuda-nvrtc~=13.0 nvidia-cudnn-cu13~=9.0\n";
    }
    if found.gpu_build && !found.cuda_dirs.iter().any(|dir| dir.ends_with("tensorrt_libs")) {
        text += "TensorRT 10          none as a Python wheel; only the TensorRT provider needs it: python3 -m pip install \
                 'tensorrt-cu13~=10.0'\n";
    }
    text
}

fn as_json(looked: &[Looked], decision: &Result<Found, RuntimeError>, opened: Option<&Opened>) -> Value {
    let searched: Vec<Value> = looked
        .iter()
        .map(|place| {
            let (outcome, path, version) = match &place.outcome {
                Outcome::Suitable(found) => ("suitable", Some(&found.path), found.version.clone()),
                Outcome::TooOld { path, version } => ("too_old", Some(path), Some(version.to_string())),
                Outcome::Empty(dir) => ("nothing", Some(dir), None),
                Outcome::Nothing(_) => ("nothing", None, None),
            };
            json!({
                "origin": place.origin,
                "outcome": outcome,
                "path": path.map(|path| path.to_string_lossy()),
                "version": version,
                "message": place.outcome.to_string(),
            })
        })
        .collect();
    let found = decision.as_ref().ok();
    let (version, providers) = match opened {
        Some(Ok((version, providers))) => (Some(version.clone()), Some(providers)),
        _ => (found.and_then(|found| found.version.clone()), None),
    };
    let error = match (decision, opened) {
        (Err(error), _) => Some(error.to_string()),
        (Ok(_), Some(Err(reason))) => Some(reason.clone()),
        _ => None,
    };
    json!({
        "path": found.map(|found| found.path.to_string_lossy()),
        "origin": found.map(|found| found.origin),
        "version": version,
        "execution_providers": providers,
        "gpu_build": found.map(|found| found.gpu_build),
        "openvino_build": found.map(|found| found.openvino_build),
        "cuda_dirs": found.map(|found| found.cuda_dirs.iter().map(|dir| dir.to_string_lossy()).collect::<Vec<_>>()),
        "error": error,
        "searched": searched,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{Origin, Version};

    fn gpu_found() -> Found {
        Found {
            path: "/cache/libonnxruntime.so".into(),
            version: Some("1.31.1".to_owned()),
            origin: Origin::Cache,
            gpu_build: true,
            openvino_build: false,
            cuda_dirs: vec!["/cache/nvidia/cu13/lib".into()],
        }
    }

    fn looked() -> Vec<Looked> {
        let too_old = Outcome::TooOld {
            path: "/venv/libonnxruntime.so".into(),
            version: Version { major: 1, minor: 19, patch: 2 },
        };
        vec![
            Looked { origin: Origin::PythonEnvironment, outcome: too_old },
            Looked { origin: Origin::BesideExecutable, outcome: Outcome::Empty("/usr/bin".into()) },
            Looked { origin: Origin::Cache, outcome: Outcome::Suitable(gpu_found()) },
        ]
    }

    #[test]
    fn the_text_shows_each_place_and_marks_the_one_that_is_used() {
        let opened = Ok(("1.31.1".to_owned(), vec!["CUDA".to_owned(), "CPU".to_owned()]));
        insta::assert_snapshot!(as_text(&looked(), Some(&gpu_found()), Some(&opened)), @r#"
    Searched, in this order:
      Python environment: /venv/libonnxruntime.so (1.19.2, too old: needs 1.24.0 or newer)
      beside the executable: no library in /usr/bin
    * cache: /cache/libonnxruntime.so (1.31.1)
    
    ONNX Runtime         /cache/libonnxruntime.so
    version              1.31.1
    execution providers  CUDA, CPU
    CUDA libraries       /cache/nvidia/cu13/lib
    TensorRT 10          none as a Python wheel; only the TensorRT provider needs it: python3 -m pip install 'tensorrt-cu13~=10.0'
    "#);
    }

    #[test]
    fn the_json_keeps_its_keys_whether_or_not_a_library_is_found() {
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let found = as_json(&looked(), &Ok(gpu_found()), Some(&Err("no such symbol".to_owned())));
        let missing = as_json(&[], &Err(RuntimeError::NoCacheDirectory), None);
        assert_eq!(keys(&found), keys(&missing));
        insta::assert_snapshot!(format!("{found:#}"), @r#"
    {
      "path": "/cache/libonnxruntime.so",
      "origin": "cache",
      "version": "1.31.1",
      "execution_providers": null,
      "gpu_build": true,
      "openvino_build": false,
      "cuda_dirs": [
        "/cache/nvidia/cu13/lib"
      ],
      "error": "no such symbol",
      "searched": [
        {
          "origin": "python_environment",
          "outcome": "too_old",
          "path": "/venv/libonnxruntime.so",
          "version": "1.19.2",
          "message": "/venv/libonnxruntime.so (1.19.2, too old: needs 1.24.0 or newer)"
        },
        {
          "origin": "beside_executable",
          "outcome": "nothing",
          "path": "/usr/bin",
          "version": null,
          "message": "no library in /usr/bin"
        },
        {
          "origin": "cache",
          "outcome": "suitable",
          "path": "/cache/libonnxruntime.so",
          "version": "1.31.1",
          "message": "/cache/libonnxruntime.so (1.31.1)"
        }
      ]
    }
    "#);
    }

    #[test]
    fn the_arguments_are_consistent() {
        #[derive(clap::Parser)]
        struct Program {
            #[command(flatten)]
            args: RuntimeArgs,
        }
        use clap::{CommandFactory, Parser};
        Program::command().debug_assert();
        let parsed = Program::try_parse_from(["runtime", "install", "--gpu"]).unwrap();
        assert!(matches!(
            parsed.args.command,
            Some(Command::Install(InstallArgs { gpu: true, openvino: false, json: false }))
        ));
        assert!(Program::try_parse_from(["runtime", "install", "--gpu", "--openvino"]).is_err());
        assert!(Program::try_parse_from(["runtime", "--ort-dylib", "/x", "install"]).is_err());
    }
}
