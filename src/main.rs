//! The `crossmodal` program: see [`crossmodal::cli`].

fn main() -> std::process::ExitCode {
    crossmodal::cli::main()
}
