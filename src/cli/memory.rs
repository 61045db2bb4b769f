//! How much memory this process may use.

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

/// Bytes of the machine, or of the process's cgroup where that has fewer (containers, SLURM); none where the system does not tell.
pub(super) fn total() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let pid = get_current_pid().ok()?;
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, ProcessRefreshKind::nothing());
    let of_process = system.process(pid).and_then(|process| process.cgroup_limits());
    let limits = [system.cgroup_limits(), of_process];
    let limits = limits.into_iter().flatten().map(|limits| limits.total_memory);
    limits.chain([system.total_memory()]).filter(|&bytes| bytes > 0).min()
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_is_more_memory_than_this_test_needs() {
        assert!(super::total().unwrap() > 1 << 25);
    }
}
