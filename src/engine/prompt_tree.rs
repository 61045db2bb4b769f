//! Prompts as a prefix tree: what several of them begin with is run once, and its keys and values serve them all.
//!
//! Two tokens are the same when their ids, their positions and their types are, and where they stand for an image, when it is
//! the same feature of the same image. Pure: a tree depends on its prompts alone.

use std::ops::Range;

use super::batches::PASS_TOKENS;
use crate::prepare::Prompt;

/// A run of tokens that follow those of the node above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// A prompt that holds these tokens.
    pub prompt: usize,
    /// Where they stand in it.
    pub range: Range<usize>,
    /// What follows them.
    pub children: Vec<Node>,
    /// The prompts that end with them.
    pub ends: Vec<usize>,
}

/// One token with all that its keys and values depend on, beside the tokens before it.
type Token = (i64, [i64; 3], i64, Option<(usize, usize)>);

/// The tree of `prompts`, by their place in the list; `same_image` gives all copies of an image one number.
pub(super) fn prompt_tree(prompts: &[&Prompt], same_image: &dyn Fn(usize) -> usize) -> Vec<Node> {
    let tokens: Vec<Vec<Token>> = prompts.iter().map(|prompt| tokens(prompt, same_image)).collect();
    let (mut shareable, alone): (Vec<usize>, Vec<usize>) =
        (0..prompts.len()).partition(|&prompt| prompts[prompt].positions.shareable);
    shareable.sort_by(|&a, &b| tokens[a].cmp(&tokens[b]).then(a.cmp(&b)));
    let mut roots = branches(&tokens, &shareable, 0);
    let whole = |prompt: usize| Node {
        prompt,
        range: 0..tokens[prompt].len(),
        children: Vec::new(),
        ends: vec![prompt],
    };
    roots.extend(alone.into_iter().map(whole));
    roots
}

/// Tokens that the nodes hold in all.
pub(super) fn tokens_of(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| node.range.len() + tokens_of(&node.children)).sum()
}

fn tokens(prompt: &Prompt, same_image: &dyn Fn(usize) -> usize) -> Vec<Token> {
    let mut features = vec![None; prompt.ids.len()];
    for span in &prompt.spans {
        let of_span = features.iter_mut().skip(span.start).take(span.length);
        of_span.enumerate().for_each(|(token, feature)| {
            *feature = Some((same_image(span.image), span.feature + token));
        });
    }
    let positions = &prompt.positions;
    let place = |token: usize| {
        let axes = positions.ids.nrows();
        std::array::from_fn(|axis| positions.ids[[axis.min(axes - 1), token]])
    };
    let token = |(token, feature): (usize, Option<(usize, usize)>)| {
        (prompt.ids[token], place(token), positions.token_types[token], feature)
    };
    features.into_iter().enumerate().map(token).collect()
}

/// The branches of sorted prompts that have their first `depth` tokens in common.
fn branches(tokens: &[Vec<Token>], sorted: &[usize], depth: usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    let same_next = |a: &usize, b: &usize| tokens[*a].get(depth) == tokens[*b].get(depth);
    for branch in sorted.chunk_by(same_next) {
        let (first, last) = (branch[0], branch[branch.len() - 1]);
        // Sorted: what the first and the last have in common, all have.
        let both = tokens[first][depth..].iter().zip(&tokens[last][depth..]);
        let end = depth + both.take_while(|(a, b)| a == b).count();
        let enders = branch.partition_point(|&prompt| tokens[prompt].len() == end);
        let (ends, longer) = branch.split_at(enders);
        let mut children = branches(tokens, longer, end);
        let users = children.len() + usize::from(!ends.is_empty());
        let saved = (users - 1) * (end - depth);
        // A shared prefix that saves less than a pass costs is run again for each.
        if users > 1 && saved < PASS_TOKENS {
            children.iter_mut().for_each(|child| child.range.start = depth);
            nodes.extend(children);
            let node = |&first: &usize| Node {
                prompt: first,
                range: depth..end,
                children: Vec::new(),
                ends: ends.to_vec(),
            };
            nodes.extend(ends.first().map(node));
        } else {
            nodes.push(Node { prompt: first, range: depth..end, children, ends: ends.to_vec() });
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::model::family::Positions;
    use crate::prepare::{ImageSpan, OptionTokens};

    fn prompt(ids: &[i64], image: Option<(usize, Range<usize>)>) -> Prompt {
        let span = |(image, range): (usize, Range<usize>)| ImageSpan {
            image,
            feature: 0,
            start: range.start,
            length: range.len(),
        };
        Prompt {
            ids: ids.to_vec(),
            spans: image.map(span).into_iter().collect(),
            positions: Positions::counting(ids.len()),
            hash: String::new(),
            options: Arc::new(OptionTokens::default()),
            room: None,
        }
    }

    /// 40 tokens, then `end`.
    fn long(end: &[i64]) -> Vec<i64> {
        (0..40).chain(end.iter().copied()).collect()
    }

    fn of(prompts: &[Prompt]) -> Vec<Node> {
        prompt_tree(&prompts.iter().collect::<Vec<_>>(), &|image| image)
    }

    #[test]
    fn a_long_beginning_is_shared_and_a_short_one_is_not() {
        let tree = of(&[prompt(&long(&[7]), None), prompt(&long(&[8, 9]), None), prompt(&long(&[7]), None)]);
        assert_eq!(tree.len(), 1);
        assert_eq!(tree[0].range, 0..40);
        assert_eq!(
            tree[0].children.iter().map(|node| node.ends.clone()).collect::<Vec<_>>(),
            [vec![0, 2], vec![1]]
        );
        assert_eq!(tokens_of(&tree), 43);
        let short = of(&[prompt(&[1, 2, 3], None), prompt(&[1, 2, 4], None)]);
        assert_eq!(tokens_of(&short), 6);
    }

    #[test]
    fn images_are_told_apart_by_their_content() {
        let ids = long(&[1, 2]);
        let shown = |image| prompt(&ids, Some((image, 2..30)));
        let different = of(&[shown(0), shown(1)]);
        assert_eq!(tokens_of(&different), 84);
        let prompts = [shown(0), shown(1)];
        let same = prompt_tree(&prompts.iter().collect::<Vec<_>>(), &|_| 0);
        assert_eq!(tokens_of(&same), 42);
        assert_eq!(same[0].ends, [0, 1]);
    }

    #[test]
    fn a_prompt_may_end_where_others_go_on() {
        let tree = of(&[prompt(&long(&[]), None), prompt(&long(&[5]), None)]);
        assert_eq!((tree[0].ends.as_slice(), tree[0].children.len()), (&[0][..], 1));
    }

    #[test]
    fn prompts_whose_tokens_see_what_follows_share_nothing() {
        let mut prompts = [prompt(&long(&[1]), None), prompt(&long(&[2]), None)];
        prompts.iter_mut().for_each(|prompt| prompt.positions.shareable = false);
        assert_eq!(tokens_of(&of(&prompts)), 82);
    }

    proptest! {
        #[test]
        fn every_prompt_is_on_one_path(
            beginnings in proptest::collection::vec(0usize..4, 1..12),
            endings in proptest::collection::vec(proptest::collection::vec(0i64..3, 0..40), 12)
        ) {
            let prompts: Vec<Prompt> = beginnings
                .iter()
                .zip(&endings)
                .map(|(beginning, ending)| {
                    let ids: Vec<i64> = (0..20 * *beginning as i64 + 1).chain(ending.iter().copied()).collect();
                    prompt(&ids, None)
                })
                .collect();
            let tree = of(&prompts);
            let mut found = vec![Vec::new(); prompts.len()];
            fn walk(nodes: &[Node], prompts: &[Prompt], before: &[i64], found: &mut [Vec<Vec<i64>>]) {
                for node in nodes {
                    assert_eq!(node.range.start, before.len());
                    let path = [before, &prompts[node.prompt].ids[node.range.clone()]].concat();
                    node.ends.iter().for_each(|&end| found[end].push(path.clone()));
                    walk(&node.children, prompts, &path, found);
                }
            }
            walk(&tree, &prompts, &[], &mut found);
            for (prompt, paths) in prompts.iter().zip(found) {
                prop_assert_eq!(paths, vec![prompt.ids.clone()]);
            }
            prop_assert!(tokens_of(&tree) <= prompts.iter().map(|prompt| prompt.ids.len()).sum());
        }
    }
}
