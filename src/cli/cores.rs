//! How many cores this process may keep busy.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Hardware threads within the process's affinity and, on Linux, its cgroup's quota (versions 1 and 2).
pub(super) fn logical() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Physical cores among them: hardware threads that share a core count once. Where the system does not tell, logical ones.
pub(super) fn physical() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    cores(Path::new("/sys/devices/system/cpu"), &status).map_or_else(logical, |cores| cores.min(logical()))
}

/// Cores in Linux's `topology` folder that have a thread in the affinity mask, which stands in `/proc/self/status`.
fn cores(cpus: &Path, status: &str) -> Option<usize> {
    let mask = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let siblings = |cpu: usize| {
        let topology = cpus.join(format!("cpu{cpu}/topology"));
        // The first name is that of kernels since 5.4.
        ["core_cpus_list", "thread_siblings_list"]
            .iter()
            .find_map(|name| fs::read_to_string(topology.join(name)).ok())
    };
    let distinct: Option<BTreeSet<String>> = listed(mask)?.into_iter().map(siblings).collect();
    distinct.map(|cores| cores.len()).filter(|&cores| cores > 0)
}

/// Numbers of a list such as `0-3,8`.
fn listed(list: &str) -> Option<Vec<usize>> {
    /// More than Linux knows: a broken file does not make us count for long.
    const MOST: usize = 1 << 16;
    let mut numbers = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if last >= MOST {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight hardware threads on four cores, numbered as most kernels do: core 0 has 0 and 4.
    fn four_cores_of_two(file: &str) -> tempfile::TempDir {
        let cpus = tempfile::tempdir().unwrap();
        for cpu in 0..8 {
            let topology = cpus.path().join(format!("cpu{cpu}/topology"));
            fs::create_dir_all(&topology).unwrap();
            let core = cpu % 4;
            #[allow(clippy::disallowed_methods, reason = "a made-up file")]
            fs::write(topology.join(file), format!("{core},{}\n", core + 4)).unwrap();
        }
        cpus
    }

    fn counted(cpus: &Path, mask: &str) -> Option<usize> {
        cores(cpus, &format!("Name:\tcrossmodal\nCpus_allowed:\tff\nCpus_allowed_list:\t{mask}\n"))
    }

    #[test]
    fn threads_of_one_core_count_once() {
        for file in ["core_cpus_list", "thread_siblings_list"] {
            let cpus = four_cores_of_two(file);
            assert_eq!(counted(cpus.path(), "0-7"), Some(4));
        }
    }

    #[test]
    fn only_cores_of_the_affinity_mask_count() {
        let cpus = four_cores_of_two("core_cpus_list");
        assert_eq!(counted(cpus.path(), "0,4"), Some(1), "both threads of one core");
        assert_eq!(counted(cpus.path(), "0-1"), Some(2), "one thread of each of two cores");
        assert_eq!(counted(cpus.path(), "2,3,6"), Some(2));
    }

    #[test]
    fn a_system_that_does_not_tell_is_not_guessed_at() {
        let cpus = four_cores_of_two("core_cpus_list");
        for mask in ["", "0-", "a-b", "0-8", "0-4294967296"] {
            assert_eq!(counted(cpus.path(), mask), None, "{mask:?}");
        }
        assert_eq!(cores(cpus.path(), "Name:\tcrossmodal\n"), None);
    }

    #[test]
    fn there_is_always_a_core_and_never_more_than_threads() {
        assert!((1..=logical()).contains(&physical()));
    }
}
