//! `crossmodal runtime install`: the pinned wheels, checked, their libraries unpacked beside the others in the cache, and
//! the finished folder renamed into place.

use std::fs;
use std::path::Path;

use super::cache::{self, Record};
use super::environment::Environment;
use super::error::RuntimeError;
use super::pins::{Build, Flavor};
use super::search::{Found, Origin, Outcome, look_in};
use super::{pip, search, wheel};

/// What the search finds; where it finds nothing, the CPU build from `builds`. What the user named is not made up for.
pub(super) fn find_or_install(
    env: &Environment,
    builds: &[Build],
    explicit: Option<&Path>,
    progress: &mut dyn FnMut(&str),
) -> Result<Found, RuntimeError> {
    match search::find(env, explicit, Flavor::Cpu) {
        Err(RuntimeError::NotFound { .. }) => install(env, builds, Flavor::Cpu, progress),
        decided => decided,
    }
}

/// Installs `flavor` from `builds`, unless it is there already.
pub(super) fn install(
    env: &Environment,
    builds: &[Build],
    flavor: Flavor,
    progress: &mut dyn FnMut(&str),
) -> Result<Found, RuntimeError> {
    let build = builds.iter().find(|build| build.flavor == flavor && build.platform == env.platform);
    let no_build =
        || RuntimeError::NoPinnedBuild { package: flavor.package(), platform: env.platform.to_string() };
    let build = build.ok_or_else(no_build)?;
    let library_wheel = build.pins.first().ok_or_else(no_build)?;
    let runtime_dir = cache::runtime_dir(env).ok_or(RuntimeError::NoCacheDirectory)?;
    let folder = runtime_dir.join(cache::folder_name(library_wheel.version, flavor));
    let installed = || match look_in(env, Origin::Cache, &folder).outcome {
        Outcome::Suitable(found) => Ok(found),
        outcome => Err(RuntimeError::BadWheel {
            wheel: library_wheel.package.to_owned(),
            reason: format!("no usable library was in it: {outcome}"),
        }),
    };
    if cache::is_whole(&folder) {
        progress(&format!("{} {} is installed already", library_wheel.package, library_wheel.version));
        return installed();
    }
    pip::require(env)?;
    let staging = cache::staging(&runtime_dir)?;
    let record = gather(env, build, staging.path(), progress)?;
    cache::publish(&staging.path().join(TREE), &record, &folder, staging.path())?;
    progress(&format!("installed in {}", folder.display()));
    installed()
}

/// The part of the staging folder that becomes the installation.
const TREE: &str = "tree";

/// Downloads, checks and unpacks each wheel into the tree; only one wheel lies on the disk at a time.
fn gather(
    env: &Environment,
    build: &Build,
    staging: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<Record, RuntimeError> {
    let tree = staging.join(TREE);
    let wheels_dir = staging.join("wheels");
    let make = |dir: &Path| {
        fs::create_dir(dir).map_err(|source| RuntimeError::io("make a folder in the cache", dir, source))
    };
    make(&tree)?;
    let total: u32 = build.pins.iter().map(|pin| pin.megabytes).sum();
    if build.pins.len() > 1 {
        progress(&format!("{} wheels, {total} MB, are to be downloaded with pip", build.pins.len()));
    }
    let mut record = Record { wheels: Vec::new(), files: Vec::new() };
    for pin in build.pins {
        progress(&format!("downloading {} {} ({} MB)", pin.package, pin.version, pin.megabytes));
        make(&wheels_dir)?;
        let path = pip::download(env, pin, build.pip_platforms, &wheels_dir)?;
        wheel::check(&path, pin.sha256)?;
        record.files.extend(wheel::unpack(&path, &tree)?);
        record.wheels.push((pip::file_name(&path), pin.sha256.to_owned()));
        fs::remove_dir_all(&wheels_dir)
            .map_err(|source| RuntimeError::io("remove the unpacked download", &wheels_dir, source))?;
    }
    record.files.sort();
    Ok(record)
}

#[cfg(test)]
#[cfg(unix)]
#[path = "install_tests.rs"]
mod tests;
