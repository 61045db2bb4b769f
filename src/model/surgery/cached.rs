//! Attention to what was seen, without carrying it through the graph.
//!
//! Exporters concatenate all keys and values with the new ones in each pass, and give them out to be handed in again. Ours
//! lie in blocks, where the operator writes new ones and reads all; the graph gives none out.

use super::grouped::Repeated;
use super::tokens_first::{TokensFirst, puts_tokens_first};
use crate::model::graph::{Attribute, Edit, Graph, Interface, Node};
use crate::model::kernels::cache::CacheShape;
use crate::model::names::DecoderNames;
use crate::model::operators::{CROSSMODAL, CachedAttention};

/// Lets every `Attention` keep its past in blocks, and takes the outputs of the cache away; inputs of the past are read for their
/// sizes. Returns the blocks' shape; `None`, and no change, where a layer is not of the pattern.
pub(in crate::model) fn keep_in_blocks(
    graph: &Graph,
    interface: &Interface,
    names: &DecoderNames,
    edit: &mut Edit,
) -> Option<CacheShape> {
    // What branches read of the past is not seen from here.
    let branches = ["If", "Loop", "Scan", "SequenceMap"];
    (!branches.into_iter().any(|operator| graph.has(operator))).then_some(())?;
    let past = past_inputs(interface, names)?;
    let attentions = graph.nodes.iter().filter(|node| node.operator == "Attention" && node.domain.is_empty());
    let layers: Vec<Layer> = attentions.map(|node| Layer::find(graph, node, names)).collect::<Option<_>>()?;
    let index_of = |layer: &Layer| {
        let [keys, values] =
            [&layer.keys, &layer.values].map(|part| past.iter().position(|input| input.name == part.past));
        keys.filter(|keys| keys % 2 == 0 && values == Some(keys + 1)).map(|keys| keys / 2)
    };
    let indices: Vec<usize> = layers.iter().map(index_of).collect::<Option<_>>()?;
    let mut sorted = indices.clone();
    sorted.sort_unstable();
    let shape = |pair: &[PastInput]| match pair {
        [keys, values] if (keys.heads, keys.size) == (values.heads, values.size) => {
            Some((keys.heads, keys.size))
        }
        _ => None,
    };
    let shape = CacheShape { layers: past.chunks(2).map(shape).collect::<Option<_>>()? };
    let all_once = !indices.is_empty() && sorted.into_iter().eq(0..shape.layers.len());
    all_once.then_some(())?;
    for (layer, index) in layers.iter().zip(indices) {
        layer.rewrite(graph, index, shape.layers[index].1, edit);
    }
    Some(shape)
}

/// An input of the cache: [batch, heads, past, head size] floats.
struct PastInput<'i> {
    name: &'i str,
    heads: usize,
    size: usize,
}

fn past_inputs<'i>(interface: &'i Interface, names: &DecoderNames) -> Option<Vec<PastInput<'i>>> {
    let past = interface.inputs.iter().filter(|input| names.present_of(&input.name).is_some());
    past.map(|input| {
        let [_, heads, _, size] = &input.shape[..] else { return None };
        let (heads, size) = (heads.parse().ok()?, size.parse().ok()?);
        (input.element == "float32").then_some(PastInput { name: &input.name, heads, size })
    })
    .collect()
}

/// Attention of a layer, with nothing that the operator lacks.
struct Layer<'a> {
    attention: &'a Node<'a>,
    queries: &'a str,
    mask: &'a str,
    keys: Cached<'a>,
    values: Cached<'a>,
}

/// Keys or values that are concatenated with their past.
struct Cached<'a> {
    past: &'a str,
    new: &'a str,
    both: &'a str,
    concatenation: &'a Node<'a>,
    /// What repeats them for the heads that share them.
    repeated: Option<Repeated<'a>>,
}

impl<'a> Layer<'a> {
    fn find(graph: &'a Graph<'a>, attention: &'a Node<'a>, names: &DecoderNames) -> Option<Self> {
        let &[queries, keys, values, mask, ref rest @ ..] = &attention.inputs[..] else { return None };
        let is_plain = rest.iter().all(|name| name.is_empty())
            && attention.outputs.len() == 1
            && graph.is_bool(mask)
            && attention.float("softcap").is_none_or(|cap| cap == 0.0)
            && attention.integer("is_causal").is_none_or(|causal| causal == 0)
            && attention.integer("q_num_heads").is_none();
        is_plain.then_some(())?;
        let cached = |name| Cached::find(graph, attention, name, names);
        Some(Self { attention, queries, mask, keys: cached(keys)?, values: cached(values)? })
    }

    fn rewrite(&self, graph: &'a Graph<'a>, index: usize, size: usize, edit: &mut Edit) {
        let Self { attention, queries, mask, keys, values } = self;
        edit.strike(attention);
        let scale = attention.float("scale").unwrap_or(1.0 / (size as f32).sqrt());
        let mut attributes =
            vec![Attribute::Integer("layer", index as i64), Attribute::Float("scale", scale)];
        let mut inputs = vec![*queries, keys.new, values.new, *mask];
        let mut last = *attention;
        if let Some((sources, transpose)) = self.tokens_first(graph) {
            inputs = sources.iter().map(|source| source.apart).chain([*mask]).collect();
            // Queries' and keys'; the runtime finds out that they are the same.
            inputs.extend(sources.iter().filter_map(|source| source.angles).flatten());
            attributes.push(Attribute::Integer("tokens_first", 1));
            edit.strike(transpose);
            last = transpose;
        }
        edit.node_with(CachedAttention::NAME, CROSSMODAL, &inputs, &last.outputs, &attributes);
        for part in [keys, values] {
            if let Some(repeated) = &part.repeated {
                repeated.strike_unread(graph, edit);
            }
            edit.strike(part.concatenation);
            edit.strike_output(graph, part.both);
        }
    }

    /// Queries, keys and values where tokens stand before heads, and the node that lets them do so again: where all of it is there.
    fn tokens_first(&self, graph: &'a Graph<'a>) -> Option<([TokensFirst<'a>; 3], &'a Node<'a>)> {
        let [queries, keys, values] =
            [self.queries, self.keys.new, self.values.new].map(|name| TokensFirst::find(graph, name));
        let sources = [queries?, keys?, values?];
        let turned = sources.each_ref().map(|source| source.angles.is_some());
        let transpose = puts_tokens_first(graph, self.attention)?;
        matches!(turned, [true, true, false] | [false, false, false]).then_some((sources, transpose))
    }
}

impl<'a> Cached<'a> {
    /// What `attention` reads under a name.
    fn find(graph: &'a Graph<'a>, attention: &Node, name: &'a str, names: &DecoderNames) -> Option<Self> {
        let repeated = Repeated::find(graph, name);
        let both = repeated.as_ref().map_or(name, |repeated| repeated.once);
        let concatenation = graph.producer(both).filter(|node| node.operator == "Concat")?;
        let &[past, new] = &concatenation.inputs[..] else { return None };
        let over_tokens = matches!(concatenation.integer("axis"), Some(2 | -2));
        let is_cache = names.present_of(past).as_deref() == Some(both) && over_tokens;
        // Nothing else reads the past itself, only its sizes; and nothing else what it is together with the new tokens.
        let reads_size = |node: &Node| node.operator == "Shape" || node == concatenation;
        let first_reader = repeated.as_ref().map_or(attention, Repeated::first);
        let alone =
            graph.consumers(past).all(reads_size) && graph.consumers(both).all(|node| node == first_reader);
        let alone = alone && repeated.as_ref().is_none_or(|repeated| repeated.is_read_once(graph));
        (is_cache && alone).then_some(Self { past, new, both, concatenation, repeated })
    }
}
