//! The residual stream of a decoder: where in its graph it stands after each layer.
//!
//! The keys of a layer come from the norm of the stream before it, in whatever way an exporter writes attention. So the walk
//! goes back from `present.{layer}.key` to the product with the key projection's weights, and on to the norm that it reads.

use std::collections::HashSet;

use super::head::{Head, is_product};
use super::norm::Norm;
use crate::model::graph::{Edit, Graph, MICROSOFT, Node};
use crate::model::names::DecoderNames;

/// Nodes between two streams at most that add to the first one.
const FEW_SUMS: usize = 24;

/// Why a decoder's layers cannot be probed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: expected {expected}, found {found}")]
pub(in crate::model) struct Refusal {
    /// Where in the graph.
    pub place: String,
    /// What should stand there.
    pub expected: &'static str,
    /// What does.
    pub found: String,
}

/// The residual stream, [batch, sequence, hidden].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Stream<'a> {
    /// A tensor.
    Tensor(&'a str),
    /// The sum inside of this node, which the file does not name.
    Inside(&'a Node<'a>),
}

impl<'a> Stream<'a> {
    /// What a norm that adds first gives as its fourth output.
    pub fn sum_of(node: &'a Node<'a>) -> Self {
        let named = node.outputs.get(SUM_OUTPUT).copied().filter(|name| !name.is_empty());
        named.map_or(Self::Inside(node), Self::Tensor)
    }
}

/// The place of the sum among the outputs of `SkipSimplifiedLayerNormalization` and `SkipLayerNormalization`.
const SUM_OUTPUT: usize = 3;

/// What a sum is called that the file does not name.
const UNNAMED_SUM: &str = "crossmodal.residual_sum";

/// The residual stream of a decoder.
pub(in crate::model) struct Residual<'a> {
    /// The stream after each layer; what image features add between two layers (deepstack) is not in it, but what the final
    /// norm reads is the last one.
    after: Vec<Stream<'a>>,
    /// The final norm, from the stream after the last layer to what the LM head reads.
    pub norm: Norm<'a>,
}

impl<'a> Residual<'a> {
    /// Finds the stream by the keys that the graph gives out.
    pub fn find(graph: &'a Graph<'a>, names: &DecoderNames, head: &Head<'a>) -> Result<Self, Refusal> {
        let flow = Flow::of(graph, &names.inputs_embeds);
        let presents = (0..).map(|layer: usize| names.present_key.replace("%d", &layer.to_string()));
        let presents: Vec<&str> = presents.map_while(|name| graph.output(&name)).collect();
        let mut streams: Vec<Stream> =
            presents.iter().map(|present| flow.stream_before(present)).collect::<Result<_, _>>()?;
        if streams.is_empty() {
            return Err(Refusal {
                place: "the outputs".into(),
                expected: "keys of every layer, which show where it begins",
                found: format!("no `{}`", names.present_key.replace("%d", "0")),
            });
        }
        let norm = Norm::find(&flow, head.hidden).ok_or_else(|| Refusal {
            place: "what the LM head reads".into(),
            expected: "the final norm of the residual stream",
            found: flow.describe(head.hidden),
        })?;
        streams.push(norm.input);
        for (layer, pair) in streams.windows(2).enumerate() {
            if !flow.is_part(pair[0], pair[1]) {
                return Err(Refusal {
                    place: format!("layer {}", layer + 1),
                    expected: "a residual stream that the layer adds to",
                    found: format!(
                        "{}, after {}",
                        flow.describe_stream(pair[1]),
                        flow.describe_stream(pair[0])
                    ),
                });
            }
        }
        streams.remove(0);
        let last = streams.pop();
        let mut after: Vec<Stream> = streams.into_iter().map(|stream| flow.without_inputs(stream)).collect();
        after.extend(last);
        Ok(Self { after, norm })
    }

    /// How many layers there are.
    pub fn layers(&self) -> usize {
        self.after.len()
    }

    /// The tensors with the stream after each layer; one that has no name gets one.
    pub fn tensors(&self, edit: &mut Edit) -> Vec<&'a str> {
        let name = |stream: &Stream<'a>| match *stream {
            Stream::Tensor(name) => name,
            Stream::Inside(node) => {
                let mut outputs = node.outputs.clone();
                outputs.resize(SUM_OUTPUT, "");
                outputs.push(UNNAMED_SUM);
                edit.rewrite(node, &node.inputs, &outputs);
                UNNAMED_SUM
            }
        };
        self.after.iter().map(name).collect()
    }
}

/// What in a graph is computed from the embeddings of tokens, sizes apart.
pub(super) struct Flow<'a> {
    pub graph: &'a Graph<'a>,
    carried: HashSet<&'a str>,
}

impl<'a> Flow<'a> {
    fn of(graph: &'a Graph<'a>, embeds: &str) -> Self {
        let read = graph.nodes.iter().flat_map(|node| &node.inputs);
        let mut carried: HashSet<&str> = read.copied().find(|name| *name == embeds).into_iter().collect();
        // Converters put nodes in front of those they read from.
        let mut before = 0;
        while carried.len() > before {
            before = carried.len();
            for node in graph.nodes.iter().filter(|node| !matches!(node.operator, "Shape" | "Size")) {
                if node.inputs.iter().any(|name| carried.contains(name)) {
                    carried.extend(node.outputs.iter().filter(|name| !name.is_empty()));
                }
            }
        }
        Self { graph, carried }
    }

    /// The inputs of a node that are computed from the embeddings.
    pub fn carrying(&self, node: &'a Node<'a>) -> impl Iterator<Item = &'a str> {
        node.inputs.iter().copied().filter(|name| self.carried.contains(name))
    }

    /// The residual stream that a layer's keys are computed from.
    fn stream_before(&self, present: &'a str) -> Result<Stream<'a>, Refusal> {
        let refuse = |expected, found| Refusal { place: format!("before `{present}`"), expected, found };
        let projected = self
            .projected(present)
            .map_err(|name| refuse("products with the key projection's weights", self.describe(name)))?;
        let mut read: Vec<&str> = Vec::new();
        for name in projected {
            let name = self.through_adapters(name);
            if !read.contains(&name) {
                read.push(name);
            }
        }
        let &[normed] = &read[..] else {
            let found: Vec<String> = read.iter().map(|name| self.describe(name)).collect();
            let found = if found.is_empty() { "none".into() } else { found.join(" and ") };
            return Err(refuse("one tensor that all projections of attention read", found));
        };
        // Without a norm in front, a layer reads the stream itself.
        let is_sum = |node: &&Node| node.operator == "Add" && self.carrying(node).count() == 2;
        match Norm::find(self, normed) {
            Some(norm) => Ok(norm.input),
            None if self.graph.producer(normed).filter(is_sum).is_some() => Ok(Stream::Tensor(normed)),
            None => Err(refuse("a norm of the residual stream", self.describe(normed))),
        }
    }

    /// What the products read that the keys come from; or the tensor where the walk went wrong.
    fn projected(&self, present: &'a str) -> Result<Vec<&'a str>, &'a str> {
        let mut read = Vec::new();
        let mut seen = HashSet::new();
        let mut open = vec![present];
        while let Some(name) = open.pop() {
            if !seen.insert(name) || !self.carried.contains(name) {
                continue;
            }
            let node = self.graph.producer(name).ok_or(name)?;
            match self.projection_input(node) {
                Some(input) => read.push(input),
                None if node.operator == "DynamicQuantizeLinear" => {} // a scale
                None if is_product(node.operator) => return Err(name),
                None => open.extend(self.carrying(node)),
            }
        }
        Ok(read)
    }

    /// What a product with weights reads.
    fn projection_input(&self, node: &'a Node<'a>) -> Option<&'a str> {
        let is_projection =
            is_product(node.operator) || (node.operator, node.domain) == ("Attention", MICROSOFT);
        let input = node.input(0).filter(|name| self.carried.contains(name))?;
        let by_weights = node.input(1).is_some_and(|name| !self.carried.contains(name));
        (is_projection && by_weights).then_some(input)
    }

    /// What the first of several products in a row reads: low-rank adapters are two.
    fn through_adapters(&self, mut name: &'a str) -> &'a str {
        let mut from = name;
        for _ in 0..FEW_SUMS {
            let Some(node) = self.graph.producer(from) else { break };
            from = match node.operator {
                "Cast"
                | "Identity"
                | "Reshape"
                | "Flatten"
                | "QuantizeLinear"
                | "DequantizeLinear"
                | "DynamicQuantizeLinear" => node.inputs[0],
                _ => match self.projection_input(node) {
                    Some(input) => input,
                    None => break,
                },
            };
            name = from;
        }
        name
    }

    /// Whether the later stream is the earlier one with something added.
    fn is_part(&self, earlier: Stream<'a>, later: Stream<'a>) -> bool {
        let Stream::Tensor(earlier) = earlier else { return false };
        let mut open = match later {
            Stream::Tensor(name) => vec![name],
            Stream::Inside(node) => node.inputs.iter().take(2).copied().collect(),
        };
        for _ in 0..FEW_SUMS {
            let Some(name) = open.pop() else { return false };
            if name == earlier {
                return true;
            }
            let Some(node) = self.graph.producer(name) else { continue };
            match node.operator {
                "Add" | "Cast" | "Identity" => open.extend(self.carrying(node)),
                _ if Stream::sum_of(node) == Stream::Tensor(name) => open.extend(node.inputs.iter().take(2)),
                _ => {}
            }
        }
        false
    }

    /// The stream before what an input of the graph adds to it.
    fn without_inputs(&self, stream: Stream<'a>) -> Stream<'a> {
        let Stream::Tensor(name) = stream else { return stream };
        let is_input = |name: &str| {
            !self.carried.contains(name) && !self.graph.is_weight(name) && self.graph.producer(name).is_none()
        };
        let sum = self.graph.producer(name).filter(|node| node.operator == "Add");
        let added = sum.filter(|node| node.inputs.iter().any(|name| is_input(name)));
        let before = added.and_then(|node| self.carrying(node).next());
        before.map_or(stream, |name| self.without_inputs(Stream::Tensor(name)))
    }

    fn describe(&self, name: &str) -> String {
        match self.graph.producer(name) {
            Some(node) => format!("`{name}`, which {} gives", node.operator),
            None if self.graph.is_weight(name) => format!("the weights `{name}`"),
            None => format!("the input `{name}`"),
        }
    }

    fn describe_stream(&self, stream: Stream) -> String {
        match stream {
            Stream::Tensor(name) => self.describe(name),
            Stream::Inside(node) => format!("the sum inside of a {} node", node.operator),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node: operator, inputs, outputs.
    type Line = (&'static str, &'static [&'static str], &'static [&'static str]);

    /// One layer that adds attention and an MLP to the stream, and a head.
    const SOUND: [Line; 9] = [
        ("SimplifiedLayerNormalization", &["inputs_embeds", "w"], &["normed"]),
        ("MatMul", &["normed", "w"], &["key"]),
        ("Concat", &["past_key_values.0.key", "key"], &["present.0.key"]),
        ("Attention", &["normed", "present.0.key"], &["attended"]),
        ("Add", &["inputs_embeds", "attended"], &["middle"]),
        ("MatMul", &["middle", "w"], &["mlp"]),
        ("Add", &["middle", "mlp"], &["after"]),
        ("SimplifiedLayerNormalization", &["after", "w"], &["last"]),
        ("MatMul", &["last", "w"], &["logits"]),
    ];

    fn bytes(nodes: &[Line]) -> Vec<u8> {
        let (mut edit, mut bytes) = (Edit::default(), Vec::new());
        nodes.iter().for_each(|(operator, inputs, outputs)| edit.node(operator, "", inputs, outputs));
        edit.float("w", 1.0);
        ["logits", "present.0.key"].into_iter().for_each(|name| edit.output(name));
        edit.apply(&mut bytes).unwrap();
        bytes
    }

    /// The streams that are found, with what is named anew; or why none are.
    fn found(nodes: &[Line]) -> Result<Vec<String>, String> {
        let bytes = bytes(nodes);
        let graph = Graph::read(&bytes).unwrap();
        let head = Head::find(&graph, "logits").unwrap();
        let residual =
            Residual::find(&graph, &DecoderNames::default(), &head).map_err(|error| error.to_string())?;
        Ok(residual.tensors(&mut Edit::default()).into_iter().map(String::from).collect())
    }

    /// A sound decoder with another node in the place of one.
    fn with(place: usize, line: Line) -> Vec<Line> {
        let mut nodes = SOUND.to_vec();
        nodes[place] = line;
        nodes
    }

    #[test]
    fn the_stream_is_what_the_next_norm_reads() {
        assert_eq!(found(&SOUND), Ok(vec!["after".into()]));
        let mut disordered = SOUND;
        disordered.reverse();
        assert_eq!(found(&disordered), Ok(vec!["after".into()]));
    }

    #[test]
    fn a_sum_inside_of_a_norm_gets_a_name() {
        let mut nodes = with(7, ("SkipSimplifiedLayerNormalization", &["middle", "mlp", "w"], &["last"]));
        nodes.remove(6);
        assert_eq!(found(&nodes), Ok(vec![UNNAMED_SUM.into()]));
        nodes[6].2 = &["last", "", "", "sum"];
        assert_eq!(found(&nodes), Ok(vec!["sum".into()]));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_the_place() {
        for (nodes, reason) in [
            (
                with(0, ("Softmax", &["inputs_embeds"], &["normed"])),
                "before `present.0.key`: expected a norm of the residual stream, found `normed`, which Softmax gives",
            ),
            (
                with(1, ("Relu", &["normed"], &["key"])),
                "before `present.0.key`: expected products with the key projection's weights, found the input `inputs_embeds`",
            ),
            (
                with(1, ("MatMul", &["normed", "inputs_embeds"], &["key"])),
                "before `present.0.key`: expected products with the key projection's weights, found `key`, which MatMul gives",
            ),
            (
                with(4, ("Mul", &["inputs_embeds", "attended"], &["middle"])),
                "layer 1: expected a residual stream that the layer adds to, found `after`, which Add gives, after the input `inputs_embeds`",
            ),
            (
                with(7, ("Relu", &["after"], &["last"])),
                "what the LM head reads: expected the final norm of the residual stream, found `last`, which Relu gives",
            ),
            (
                with(2, ("Concat", &["past_key_values.0.key", "key"], &["keys"])),
                "before `present.0.key`: expected one tensor that all projections of attention read, found none",
            ),
        ] {
            assert_eq!(found(&nodes), Err(reason.to_string()));
        }
    }
}
