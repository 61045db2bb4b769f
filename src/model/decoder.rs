//! The decoder: embeddings and a past to logits and a longer past.

use std::path::Path;
use std::sync::Arc;

use ndarray::{Array1, Array2, Array3, Array4, ArrayD, Axis};
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Tensor};

use serde::Serialize;

use super::ModelError;
use super::binding::CacheMemory;
use super::contract::{check_inputs, check_output, check_type, dimensions, element_type};
use super::kernels::cache::CacheShape;
use super::logits::Logits;
use super::names::DecoderNames;
use super::operators::Pass;
use super::past::Past;
use super::past_inputs::{PastInput, past_inputs, past_of};
use super::probe::{LensOutput, ProbeInput, Probed};
use super::seen::{Before, Seen, Side};
use super::surgery::{ASKED, OPTIONS, PROBED, WEIGHTS};
use super::tensors::{FLOATS, INTEGERS, failed, float_value, int_value, wrong};

/// The input that says of how many tokens, counted from the last, logits are wanted; 0 for all.
pub(super) const NUMBER_TO_KEEP: &str = "num_logits_to_keep";

const STEP: &str = "decoder";

/// New tokens of a batch of sequences, shorter rows padded on the right.
#[derive(Debug, Clone)]
pub struct DecoderInput {
    /// [batch, sequence, hidden].
    pub embeds: Array3<f32>,
    /// Tokens of each row, without padding.
    pub lengths: Vec<usize>,
    /// [axes, batch, sequence].
    pub positions: Array3<i64>,
    /// [batch, sequence].
    pub token_types: Array2<i64>,
    /// What is added after the first layers, [batch, sequence, hidden] each; may be empty where nothing is.
    pub deepstack: Vec<Array3<f32>>,
    /// Tokens whose logits are wanted: (row, place among the new tokens).
    pub asked: Vec<(usize, usize)>,
}

/// What a decoder says about the sequences of one batch.
pub struct DecoderOutput {
    /// Of the tokens that were asked for, in that order.
    pub logits: Logits,
    /// What the lens shows of probed tokens, where the graph was edited for it.
    pub lens: Option<LensOutput>,
    /// Sums over tokens by depth, [batch, sums, depths, hidden]; the last depth is the output, after the final norm.
    pub sums: Option<Array4<f32>>,
}

/// Tokens whose logits a decoder computes; the others' are thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogitPositions {
    /// Those that are asked for.
    Asked,
    /// The last one where no other is asked for (`num_logits_to_keep`), else all.
    Last,
    /// All.
    All,
}

impl LogitPositions {
    /// Of a graph: whether the positions can be asked for, and whether their number can be.
    pub(super) fn of(by_place: bool, by_number: bool) -> Self {
        match (by_place, by_number) {
            (true, _) => Self::Asked,
            (false, true) => Self::Last,
            (false, false) => Self::All,
        }
    }
}

/// An opened graph of a decoder, and what is known of its file.
pub(super) struct DecoderGraph<'p> {
    pub session: Session,
    pub path: &'p Path,
    /// What it gives of the residual stream.
    pub probed: Probed,
    /// Whether it attends with GroupQueryAttention.
    pub groups_queries: bool,
    /// Whether it quantizes the activations of a pass on one scale.
    pub scales_together: bool,
    /// The shape of the blocks that it keeps its past in, and how it is told of them; `None` where it takes tensors.
    pub blocks: Option<(Arc<CacheShape>, Arc<Pass>)>,
}

pub(super) struct Decoder {
    first: Graph,
    /// The graph for tokens that have a past, where the layout keeps two.
    next: Option<Graph>,
    names: DecoderNames,
    /// Where keys and values stay between calls.
    pub cache_memory: CacheMemory,
    /// Whether rows of unlike length may run together.
    pub pads: bool,
    /// Whether a token's numbers depend on the other tokens of its pass.
    pub scales_together: bool,
}

struct Graph {
    session: Session,
    probed: Probed,
    takes_asked: bool,
    past: Vec<PastInput>,
    blocks: Option<(Arc<CacheShape>, Arc<Pass>)>,
    /// Stands for a past that is in blocks, whose sizes the graph reads; nothing reads the numbers.
    unread: Vec<f32>,
}

impl Decoder {
    /// `first` runs prompts; `next`, where there are two graphs, what follows them.
    pub fn of(
        first: DecoderGraph,
        next: Option<DecoderGraph>,
        names: DecoderNames,
    ) -> Result<Self, ModelError> {
        let (first_path, groups_queries) = (first.path, first.groups_queries);
        let scales_together = first.scales_together || next.as_ref().is_some_and(|next| next.scales_together);
        let first = Graph::of(first, &names)?;
        let next = next.map(|next| Graph::of(next, &names)).transpose()?;
        for input in next.iter().flat_map(|next| &next.past) {
            check_output(&first.session, first_path, &input.present)?;
        }
        let has_positions = takes(&first.session, &names.position_ids);
        // GroupQueryAttention on the CPU knows lengths only, no mask: padding on the left is silently wrong.
        let pads = has_positions && !groups_queries;
        Ok(Self { first, next, names, cache_memory: CacheMemory::Host, pads, scales_together })
    }

    /// What sequences have seen, as a pass over `new` tokens each reads it.
    fn before(&self, seen: &mut [&mut Seen], new: usize) -> Result<Before, ModelError> {
        let graph = self.next.as_ref().unwrap_or(&self.first);
        if let Some((shape, _)) = &graph.blocks {
            return Ok(Before::apart(seen, shape, new));
        }
        Before::by_side(seen, |rows| Past::gather(rows, graph.session.allocator()))
    }

    pub fn probed(&self) -> Probed {
        self.first.probed
    }

    pub fn logit_positions(&self) -> LogitPositions {
        LogitPositions::of(self.first.takes_asked, takes(&self.first.session, NUMBER_TO_KEEP))
    }

    pub fn continues(&self) -> bool {
        self.next.is_some() || !self.first.past.is_empty()
    }

    /// Runs new tokens on top of what their sequences have `seen`, all of them or none, and adds them to it.
    pub fn run(
        &mut self,
        input: DecoderInput,
        seen: &mut [&mut Seen],
        probe: &ProbeInput,
    ) -> Result<DecoderOutput, ModelError> {
        let (batch, length, _) = input.embeds.dim();
        if seen.len() != batch
            || input.lengths.len() != batch
            || input.lengths.iter().any(|new| *new > length)
        {
            let reason = format!("{batch} x {length} tokens are not those of {} sequences", seen.len());
            return Err(wrong(STEP, &reason));
        }
        let continuing = self.next.as_ref().unwrap_or(&self.first);
        let past = continuing.past.iter().filter(|_| continuing.blocks.is_none());
        let presents: Vec<String> = past.map(|input| input.present.clone()).collect();
        let (asked, lengths) = (input.asked.clone(), input.lengths.clone());
        let before = self.before(seen, length)?;
        let has_past = before.tokens > 0;
        let graph = match &mut self.next {
            Some(next) if has_past => next,
            _ => &mut self.first,
        };
        if has_past && graph.past.is_empty() {
            return Err(wrong(
                STEP,
                "this export takes no past: it can score prompts, but not continue them",
            ));
        }
        let mut inputs = graph.inputs(&self.names, input, &before, probe)?;
        let Before { tokens, lengths: seen_before, kept } = before;
        graph.prepare(&kept, batch, tokens);
        inputs.extend(past_of(&graph.past, &kept, &graph.unread, batch, tokens)?);
        let sums = !probe.weights.is_empty();
        let mut read = graph.probed.outputs(!probe.probed.is_empty(), sums);
        read.push(&self.names.logits);
        if let Some((_, pass)) = &graph.blocks {
            pass.set(if let Side::Apart(rows) = &kept { rows.clone() } else { Arc::default() });
        }
        let outputs = self.cache_memory.run(&mut graph.session, inputs, &read, &presents);
        if let Some((_, pass)) = &graph.blocks {
            pass.set(Arc::default());
        }
        let mut outputs = outputs.map_err(|error| failed(STEP, error))?;
        let logits = outputs.remove(self.names.logits.as_str());
        let logits = logits.ok_or_else(|| wrong(STEP, "no logits came out"))?;
        let logits = match graph.takes_asked {
            true => Logits::given(logits, asked.len()),
            false => Logits::picked(&logits, &asked, length),
        }?;
        let lens = graph.probed.lens(&outputs, asked.len().max(1), probe.probed.len())?;
        let sums = if sums { graph.probed.sums(&outputs)? } else { None };
        if graph.blocks.is_some() {
            seen.iter_mut().zip(&lengths).for_each(|(seen, new)| seen.grow(*new));
        } else {
            let present = |name: &String| {
                let value = outputs.remove(name.as_str());
                value.ok_or_else(|| wrong(STEP, &format!("the graph has no output `{name}`")))
            };
            let values = presents.iter().map(present).collect::<Result<_, _>>()?;
            let past = Arc::new(Past { values });
            for (row, seen) in seen.iter_mut().enumerate() {
                let start = tokens - seen_before[row];
                **seen = Seen::of_row(&past, row, start, seen_before[row] + lengths[row]);
            }
        }
        Ok(DecoderOutput { logits, lens, sums })
    }
}

/// Named values for a session.
type Inputs<'v> = Vec<(String, SessionInputValue<'v>)>;

impl Graph {
    /// All inputs but the past.
    fn inputs(
        &self,
        names: &DecoderNames,
        input: DecoderInput,
        before: &Before,
        probe: &ProbeInput,
    ) -> Result<Inputs<'static>, ModelError> {
        let shape = input.embeds.dim();
        let mut mask = Some(before.mask(&input.lengths, shape.1));
        let last = input.asked.iter().all(|&(_, place)| place + 1 == shape.1);
        // Sums are over all positions, and so are the rows that the asked ones are picked from.
        let last_logits_only = last && !self.takes_asked && self.probed.depths == 0;
        let mut embeds = Some(input.embeds);
        let mut deepstack: Vec<Option<Array3<f32>>> = input.deepstack.into_iter().map(Some).collect();
        let mut inputs = Inputs::with_capacity(self.session.inputs().len());
        for declared in self.session.inputs() {
            let (name, element) = (declared.name(), element_type(declared));
            let value: DynValue = if name == names.inputs_embeds {
                float_value(embeds.take().unwrap_or_default().into_dyn(), element, STEP)?
            } else if name == names.attention_mask {
                int_value(mask.take().unwrap_or_default().into_dyn(), element, STEP)?
            } else if name == names.position_ids {
                int_value(positions(&input.positions, &dimensions(declared)), element, STEP)?
            } else if name == "token_type_ids" {
                int_value(input.token_types.clone().into_dyn(), element, STEP)?
            } else if name == ASKED {
                int_value(asked_places(&input.asked).into_dyn(), element, STEP)?
            } else if name == PROBED {
                let places = places(&probe.probed).insert_axis(Axis(1));
                int_value(places.into_dyn(), element, STEP)?
            } else if name == OPTIONS {
                let options = probe.options.iter().map(|&token| i64::from(token));
                int_value(options.collect::<Array1<i64>>().into_dyn(), element, STEP)?
            } else if name == WEIGHTS {
                let weights = match probe.weights.is_empty() {
                    true => Array3::zeros((shape.0, 0, shape.1)),
                    false => probe.weights.clone(),
                };
                float_value(weights.into_dyn(), element, STEP)?
            } else if name == NUMBER_TO_KEEP {
                int_value(ndarray::arr0(i64::from(last_logits_only)).into_dyn(), element, STEP)?
            } else if name == "use_cache_branch" {
                let branch = Tensor::from_array(ndarray::arr1(&[before.tokens > 0]));
                branch.map_err(|error| failed(STEP, error))?.into_dyn()
            } else if let Some(index) = deepstack_index(name) {
                let given = deepstack.get_mut(index).and_then(Option::take);
                float_value(given.unwrap_or_else(|| Array3::zeros(shape)).into_dyn(), element, STEP)?
            } else {
                continue; // the past
            };
            inputs.push((name.to_string(), value.into()));
        }
        Ok(inputs)
    }

    /// Makes room for what stands for a past in blocks.
    fn prepare(&mut self, kept: &Side, batch: usize, tokens: usize) {
        if let Side::Apart(_) = kept {
            let largest = self.past.iter().map(|input| input.heads * input.head_size).max().unwrap_or(0);
            let needed = batch * tokens * largest;
            if self.unread.len() < needed {
                // More than this pass needs: the next one has a token more.
                self.unread = vec![0.0; needed.next_power_of_two()];
            }
        }
    }

    fn of(opened: DecoderGraph, names: &DecoderNames) -> Result<Self, ModelError> {
        let DecoderGraph { session, path, probed, blocks, .. } = opened;
        check_inputs(&session, path, &[&names.inputs_embeds, &names.attention_mask], |name| {
            name == names.position_ids
                || names.present_of(name).is_some()
                || deepstack_index(name).is_some()
                || ["token_type_ids", NUMBER_TO_KEEP, "use_cache_branch"].contains(&name)
                || [ASKED, PROBED, OPTIONS, WEIGHTS].contains(&name)
        })?;
        check_type(&session, path, &names.inputs_embeds, &FLOATS)?;
        check_type(&session, path, &names.attention_mask, &INTEGERS)?;
        for name in [&names.position_ids, "token_type_ids", NUMBER_TO_KEEP] {
            if takes(&session, name) {
                check_type(&session, path, name, &INTEGERS)?;
            }
        }
        check_output(&session, path, &names.logits)?;
        let past = past_inputs(&session, path, names)?;
        for input in past.iter().filter(|_| blocks.is_none()) {
            check_output(&session, path, &input.present)?;
        }
        let takes_asked = takes(&session, ASKED);
        Ok(Self { session, probed, takes_asked, past, blocks, unread: Vec::new() })
    }
}

fn takes(session: &Session, name: &str) -> bool {
    session.inputs().iter().any(|input| input.name() == name)
}

/// (row, place) of the tokens that are asked for, [asked, 2]; of some token where none is, as not all operators take none.
fn asked_places(asked: &[(usize, usize)]) -> Array2<i64> {
    places(if asked.is_empty() { &[(0, 0)] } else { asked })
}

/// (row, place) of tokens, [tokens, 2].
fn places(places: &[(usize, usize)]) -> Array2<i64> {
    Array2::from_shape_fn((places.len(), 2), |(index, axis)| {
        let (row, place) = places[index];
        if axis == 0 { row as i64 } else { place as i64 }
    })
}

fn deepstack_index(name: &str) -> Option<usize> {
    name.strip_prefix("deepstack_embeds.")?.parse().ok()
}

/// Positions [axes, batch, sequence] as the graph declares them: [batch, sequence], or one plane an axis.
fn positions(positions: &Array3<i64>, declared: &[i64]) -> ArrayD<i64> {
    if declared.len() < 3 {
        return positions.index_axis(Axis(0), 0).to_owned().into_dyn();
    }
    let planes = declared.first().copied().and_then(|size| usize::try_from(size).ok()).unwrap_or(3);
    let (axes, batch, length) = positions.dim();
    // One axis serves all planes; a fourth plane in front (text) is the first axis again.
    let axis_of = |plane: usize| (plane + axes).saturating_sub(planes.max(axes)).min(axes - 1);
    Array3::from_shape_fn((planes, batch, length), |(plane, row, token)| {
        positions[[axis_of(plane), row, token]]
    })
    .into_dyn()
}
