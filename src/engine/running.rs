//! Requests through the decoder: prompts along their prefix tree, each answer position read, answers written.

use std::rc::Rc;
use std::time::Instant;

use super::batches::{BatchRules, Size};
use super::decoding::Decoding;
use super::evaluate::StageSeconds;
use super::forward::{Passed, Piece, Wanted, forward, missing_image};
use super::lens::option_tokens;
use super::means::Sums;
use super::prompt_tree::{Node, prompt_tree, tokens_of};
use super::requests::{Generation, Read, Request, RunningSettings, Work};
use crate::model::{ImageFeatures, Model, ModelError, Seen};
use crate::prepare::Prompt;

/// Sequences of one pass over prompts at most.
const MOST_SEQUENCES: usize = 64;

/// Takes what the first pass says of a request; or why there is none.
type Reader<'a> = &'a mut dyn FnMut(usize, Result<Read, String>);

/// A unit's requests on their way.
pub(super) struct Running<'a> {
    pub model: &'a mut Model,
    pub requests: &'a [Request<'a>],
    /// Of each image that the prompts' spans name.
    pub features: &'a [Result<ImageFeatures, String>],
    pub settings: RunningSettings<'a>,
    pub work: Work,
    pub seconds: StageSeconds,
}

/// What the nodes below need of one.
struct Above {
    seen: Seen,
    sums: Sums,
}

/// A node whose turn comes.
struct Next<'t> {
    node: &'t Node,
    above: Option<Rc<Above>>,
}

/// Answers by request, where one was written or could not be.
type Texts = Vec<Option<Result<Generation, String>>>;

impl<'a> Running<'a> {
    /// Runs all requests. `same_image` gives all copies of an image one number; `read` takes each prompt's distribution. A
    /// request that is to be continued has its text in what is returned, unless its prompt failed.
    pub fn run(&mut self, same_image: &dyn Fn(usize) -> usize, read: Reader) -> Texts {
        let mut sound = Vec::new();
        for (index, request) in self.requests.iter().enumerate() {
            match missing_image(request.prompt, self.features) {
                Some(reason) => read(index, Err(reason)),
                None => sound.push(index),
            }
        }
        let mut tree = Vec::new();
        if self.settings.sharing && self.model.continues() {
            let prompts: Vec<&Prompt> = sound.iter().map(|&index| self.requests[index].prompt).collect();
            tree = prompt_tree(&prompts, same_image);
            rename(&mut tree, &sound);
        } else {
            tree.extend(sound.iter().map(|&prompt| Node {
                prompt,
                range: 0..self.requests[prompt].prompt.ids.len(),
                children: Vec::new(),
                ends: vec![prompt],
            }));
        }
        self.work.prompt_tokens +=
            sound.iter().map(|&index| self.requests[index].prompt.ids.len()).sum::<usize>();
        self.work.prefill_tokens += tokens_of(&tree);
        let mut texts: Texts = vec![None; self.requests.len()];
        let mut decoding = Decoding::new(self.settings, self.model.pads());
        let roots = tree.iter().map(|node| Next { node, above: None }).collect();
        self.level(roots, &mut decoding, &mut texts, read);
        while !decoding.is_empty() {
            self.decode(&mut decoding, &mut texts);
        }
        texts
    }

    /// Runs nodes that have their pasts, and then what follows them: batch by batch, so that few pasts are held at a time.
    fn level(&mut self, nodes: Vec<Next>, decoding: &mut Decoding<'a>, texts: &mut Texts, read: Reader) {
        let rules = BatchRules {
            new_tokens: self.settings.batch_tokens,
            all_tokens: self.settings.batch_tokens,
            sequences: self.settings.probed.unwrap_or(MOST_SEQUENCES).min(MOST_SEQUENCES),
            pads: self.model.pads(),
        };
        let sizes: Vec<Size> = nodes.iter().map(|next| self.piece(next).size()).collect();
        for batch in rules.batches(&sizes) {
            let mut below = Vec::new();
            self.pass(&batch, &nodes, &mut below, decoding, texts, read);
            while decoding.is_full() {
                self.decode(decoding, texts);
            }
            if !below.is_empty() {
                self.level(below, decoding, texts, read);
            }
        }
    }

    fn piece(&self, next: &Next) -> Piece {
        let Node { prompt, range, ends, .. } = next.node;
        let asked = if ends.is_empty() { 0..0 } else { range.len() - 1..range.len() };
        let seen = next.above.as_ref().map(|above| above.seen.clone()).unwrap_or_default();
        Piece::of_prompt(self.requests[*prompt].prompt, range.clone(), seen, asked)
    }

    /// Runs nodes together; when that fails, each by itself, so that only the faulty one fails. What follows them is put into
    /// `below`.
    fn pass<'t>(
        &mut self,
        batch: &[usize],
        nodes: &[Next<'t>],
        below: &mut Vec<Next<'t>>,
        decoding: &mut Decoding<'a>,
        texts: &mut Texts,
        read: Reader,
    ) {
        let start = Instant::now();
        let mut pieces: Vec<Piece> = batch.iter().map(|&index| self.piece(&nodes[index])).collect();
        let wanted = self.wanted(batch.iter().flat_map(|&index| &nodes[index].node.ends));
        let passed = forward(self.model, &mut pieces, self.features, wanted);
        self.seconds.decoder += start.elapsed().as_secs_f64();
        self.work.prefill_passes += 1;
        match passed {
            Ok(passed) => {
                for (place, (&index, piece)) in batch.iter().zip(pieces).enumerate() {
                    let before = nodes[index].above.as_ref().map(|above| above.sums.clone());
                    let sums = passed.sums(place, before.unwrap_or_default());
                    let above = Rc::new(Above { seen: piece.seen, sums });
                    self.ends(nodes[index].node, &above, &passed, place, decoding, texts, read);
                    let children = nodes[index].node.children.iter();
                    below.extend(children.map(|node| Next { node, above: Some(above.clone()) }));
                }
            }
            Err(_) if batch.len() > 1 => {
                for &index in batch {
                    self.pass(&[index], nodes, below, decoding, texts, read);
                }
            }
            Err(error) => fail(nodes[batch[0]].node, &error, read),
        }
    }

    /// What is wanted of a pass in which the prompts of some requests end.
    fn wanted<'e>(&self, ends: impl Iterator<Item = &'e usize>) -> Wanted {
        let options = ends.map(|&request| &*self.requests[request].prompt.options);
        let lens = self.settings.probed.map(|_| option_tokens(options));
        Wanted { sums: self.settings.means, lens }
    }

    /// The requests that end with a node: their distribution is read, and their answers begin.
    #[expect(clippy::too_many_arguments, reason = "one node's way from its pass to all that wait for it")]
    fn ends(
        &mut self,
        node: &Node,
        above: &Above,
        passed: &Passed,
        place: usize,
        decoding: &mut Decoding<'a>,
        texts: &mut Texts,
        read: Reader,
    ) {
        let asked = passed.logits(place);
        let Some(logits) = asked.rows().into_iter().next() else { return };
        let start = Instant::now();
        for &request in &node.ends {
            read(request, Ok(Read { logits, means: above.sums.means(), lens: passed.lens(place) }));
        }
        self.seconds.scoring += start.elapsed().as_secs_f64();
        let continued =
            node.ends.iter().filter_map(|&end| Some((end, self.requests[end].continuation.as_ref()?)));
        let wanted: Vec<(usize, usize)> = continued.clone().map(|(end, ask)| (end, ask.most)).collect();
        if let Some((end, continuation)) = continued.clone().next() {
            let prompt = self.requests[end].prompt;
            let begun =
                decoding.admit(prompt, wanted, continuation, above.seen.clone(), logits, &mut self.work);
            begun.into_iter().for_each(|(request, text)| texts[request] = Some(text));
        }
    }

    fn decode(&mut self, decoding: &mut Decoding<'a>, texts: &mut Texts) {
        let start = Instant::now();
        let finished = decoding.pass(self.model, &mut self.work);
        finished.into_iter().for_each(|(request, text)| texts[request] = Some(text));
        self.seconds.generation += start.elapsed().as_secs_f64();
    }
}

/// Gives a tree of some requests' prompts the numbers of the requests.
fn rename(nodes: &mut [Node], requests: &[usize]) {
    for node in nodes {
        node.prompt = requests[node.prompt];
        node.ends.iter_mut().for_each(|end| *end = requests[*end]);
        rename(&mut node.children, requests);
    }
}

/// All that needs a node which failed.
fn fail(node: &Node, error: &ModelError, read: Reader) {
    node.ends.iter().for_each(|&request| read(request, Err(error.to_string())));
    node.children.iter().for_each(|child| fail(child, error, read));
}
