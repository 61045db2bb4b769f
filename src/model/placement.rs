//! Which execution provider got which part of a graph. Providers take what they know and leave the rest to the CPU
//! provider without a word, so it is asked for after a session is made, and told.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};

use ort::AsPointer;
use ort::session::Session;

use super::{GraphFile, ModelError, OnnxRuntime, Provider};

/// With it a session remembers who got what.
pub(super) const RECORD_PLACEMENT: &str = "session.record_ep_graph_assignment_info";

/// Where the nodes of one graph run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The graph.
    pub graph: GraphFile,
    /// The provider that was to run it.
    pub provider: Provider,
    /// Nodes by execution provider, as ONNX Runtime names it; empty for the CPU provider, which has them all.
    pub nodes: BTreeMap<String, usize>,
}

impl Placement {
    /// Asks a session that was made with [`RECORD_PLACEMENT`]; fails where the provider got nothing.
    pub(super) fn check(
        graph: GraphFile,
        provider: Provider,
        runtime: &OnnxRuntime,
        session: &Session,
    ) -> Result<Self, ModelError> {
        let mut nodes = BTreeMap::new();
        if provider != Provider::Cpu {
            let assigned = assigned(session).map_err(|error| {
                provider.unavailable(runtime, format!("it is not known what it runs: {error}"))
            })?;
            for (name, count) in assigned {
                *nodes.entry(name).or_default() += count;
            }
            if !provider.library_names().iter().any(|name| nodes.contains_key(*name)) {
                let reason = format!("ONNX Runtime gave it no part of the {}", name_of(graph));
                return Err(provider.unavailable(runtime, reason));
            }
        }
        Ok(Self { graph, provider, nodes })
    }
}

fn name_of(graph: GraphFile) -> &'static str {
    match graph {
        GraphFile::VisionEncoder => "vision encoder",
        GraphFile::EmbedTokens => "token embedding",
        GraphFile::Decoder => "decoder",
    }
}

impl std::fmt::Display for Placement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.nodes.is_empty() {
            return write!(f, "{} by {}", name_of(self.graph), self.provider.as_str());
        }
        let share = |(provider, count): (&String, &usize)| {
            format!("{count} nodes by {}", provider.trim_end_matches("ExecutionProvider"))
        };
        let shares: Vec<String> = self.nodes.iter().map(share).collect();
        write!(f, "{}: {}", name_of(self.graph), shares.join(", "))
    }
}

/// Provider and number of nodes of each part.
#[expect(unsafe_code, reason = "ort has no safe call for it; the C API's contract is kept right here")]
fn assigned(session: &Session) -> Result<Vec<(String, usize)>, ort::Error> {
    let api = ort::api();
    let (mut parts, mut count) = (std::ptr::null(), 0);
    // SAFETY: the session lives; all out-pointers are valid. On success the runtime lends us `count` parts and the strings
    // of each, which belong to the session, and are copied before it can go away.
    unsafe {
        let status = (api.Session_GetEpGraphAssignmentInfo)(session.ptr(), &mut parts, &mut count);
        ort::Error::result_from_status(status)?;
        (0..count)
            .map(|index| {
                let part = *parts.add(index);
                let mut name: *const c_char = std::ptr::null();
                ort::Error::result_from_status((api.EpAssignedSubgraph_GetEpName)(part, &mut name))?;
                let (mut nodes, mut size) = (std::ptr::null(), 0);
                let status = (api.EpAssignedSubgraph_GetNodes)(part, &mut nodes, &mut size);
                ort::Error::result_from_status(status)?;
                Ok((CStr::from_ptr(name).to_string_lossy().into_owned(), size))
            })
            .collect()
    }
}
