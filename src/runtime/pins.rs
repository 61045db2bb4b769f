//! The builds that `crossmodal runtime install` fetches, each by version and SHA-256 of its wheel on PyPI. A hash stands
//! here only after the wheel was downloaded and hashed; a platform without one is told how to help itself.
//!
//! To move to another release: `pip download --no-deps --only-binary=:all: --python-version 3.12 --implementation cp
//! --platform <platform> <package>==<version>` for each row, then `sha256sum`.

use super::environment::Platform;

/// The ONNX Runtime release that is installed.
pub const PINNED_VERSION: &str = "1.31.1";

/// The newest release that comes with the OpenVINO execution provider; it trails the others.
pub const PINNED_OPENVINO_VERSION: &str = "1.24.1";

/// Which build of ONNX Runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// CPU only.
    Cpu,
    /// CPU, CUDA and TensorRT; installed with the CUDA 13 and cuDNN 9 libraries it needs, without TensorRT's own.
    Gpu,
    /// CPU and OpenVINO, with OpenVINO's own libraries.
    Openvino,
}

impl Flavor {
    /// The Python package that holds the build.
    pub fn package(self) -> &'static str {
        match self {
            Self::Cpu => "onnxruntime",
            Self::Gpu => "onnxruntime-gpu",
            Self::Openvino => "onnxruntime-openvino",
        }
    }

    /// The release that is installed.
    pub fn version(self) -> &'static str {
        match self {
            Self::Cpu | Self::Gpu => PINNED_VERSION,
            Self::Openvino => PINNED_OPENVINO_VERSION,
        }
    }

    /// What `crossmodal runtime install` takes for it.
    pub fn install_flag(self) -> &'static str {
        match self {
            Self::Cpu => "",
            Self::Gpu => " --gpu",
            Self::Openvino => " --openvino",
        }
    }
}

/// One wheel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pin {
    pub(super) package: &'static str,
    pub(super) version: &'static str,
    /// Of the wheel file, in lower-case hexadecimal.
    pub(super) sha256: &'static str,
    /// Of the wheel file, in MB of 10^6 bytes; told before a download begins.
    pub(super) megabytes: u32,
}

/// What makes up one flavor on one platform.
#[derive(Debug, Clone, Copy)]
pub(super) struct Build {
    pub(super) flavor: Flavor,
    pub(super) platform: Platform,
    /// As pip names the platform; any of them will do.
    pub(super) pip_platforms: &'static [&'static str],
    /// ONNX Runtime first.
    pub(super) pins: &'static [Pin],
}

const MANYLINUX_X86_64: &[&str] =
    &["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"];

pub(super) const BUILDS: &[Build] = &[
    Build {
        flavor: Flavor::Cpu,
        platform: Platform { os: "linux", arch: "x86_64" },
        pip_platforms: MANYLINUX_X86_64,
        pins: &[onnxruntime("1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536", 24)],
    },
    Build {
        flavor: Flavor::Cpu,
        platform: Platform { os: "linux", arch: "aarch64" },
        pip_platforms: &["manylinux_2_28_aarch64"],
        pins: &[onnxruntime("0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc", 21)],
    },
    Build {
        flavor: Flavor::Cpu,
        platform: Platform { os: "macos", arch: "aarch64" },
        pip_platforms: &["macosx_14_0_arm64"],
        pins: &[onnxruntime("96dd2564b10ea7153ad9c207e7cd8e5917cb3ba521e0e0a62ac03486fdc8d56c", 21)],
    },
    Build {
        flavor: Flavor::Cpu,
        platform: Platform { os: "windows", arch: "x86_64" },
        pip_platforms: &["win_amd64"],
        pins: &[onnxruntime("ae8a9a351efda685cc59a66226cdefaa37a126c1d66872ca23a2de9425326130", 15)],
    },
    Build {
        flavor: Flavor::Openvino,
        platform: Platform { os: "linux", arch: "x86_64" },
        pip_platforms: MANYLINUX_X86_64,
        pins: &[Pin {
            package: "onnxruntime-openvino",
            version: PINNED_OPENVINO_VERSION,
            sha256: "d617fac2f59a6ab5ea59a788c3e1592240a129642519aaeaa774761dfe35150e",
            megabytes: 84,
        }],
    },
    Build {
        flavor: Flavor::Gpu,
        platform: Platform { os: "linux", arch: "x86_64" },
        pip_platforms: MANYLINUX_X86_64,
        pins: &[
            Pin {
                package: "onnxruntime-gpu",
                version: PINNED_VERSION,
                sha256: "05d548956197b9d01f59b625de740e0d6be3593f874e241a12dc0362650ecdf7",
                megabytes: 256,
            },
            Pin {
                package: "nvidia-cuda-runtime",
                version: "13.5.37",
                sha256: "df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d",
                megabytes: 3,
            },
            Pin {
                package: "nvidia-cublas",
                version: "13.10.0.20",
                sha256: "dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84",
                megabytes: 444,
            },
            Pin {
                package: "nvidia-cufft",
                version: "12.5.0.14",
                sha256: "b8be26837a5abad2b5b74f3e92dd29f622a42934b355be0961a48712cbba23ad",
                megabytes: 165,
            },
            Pin {
                package: "nvidia-curand",
                version: "10.4.5.25",
                sha256: "22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529",
                megabytes: 77,
            },
            Pin {
                package: "nvidia-cuda-nvrtc",
                version: "13.5.37",
                sha256: "86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc",
                megabytes: 58,
            },
            // cuFFT and cuDNN's runtime-compiled engines link their kernels with it.
            Pin {
                package: "nvidia-nvjitlink",
                version: "13.5.37",
                sha256: "280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb",
                megabytes: 47,
            },
            Pin {
                package: "nvidia-cudnn-cu13",
                version: "9.28.0.42",
                sha256: "7358353c75bb121a58e5f7712fe6d588883dc1df8ba00f428237e44e97543c4d",
                megabytes: 517,
            },
        ],
    },
];

const fn onnxruntime(sha256: &'static str, megabytes: u32) -> Pin {
    Pin { package: "onnxruntime", version: PINNED_VERSION, sha256, megabytes }
}

#[cfg(test)]
mod tests {
    use super::super::{OLDEST_USABLE, Version};
    use super::*;

    #[test]
    fn what_is_pinned_is_usable_and_complete() {
        for build in BUILDS {
            assert!(Version::parse(build.flavor.version()).unwrap() >= OLDEST_USABLE);
            assert_eq!(build.pins[0].package, build.flavor.package());
            assert_eq!(build.pins[0].version, build.flavor.version());
            for pin in build.pins {
                let hex = pin.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                assert!(hex && pin.sha256.len() == 64, "{}", pin.package);
            }
        }
    }
}
