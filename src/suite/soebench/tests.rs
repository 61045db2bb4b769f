use std::collections::HashSet;

use super::*;

/// Factors (by letter) and right-hand side of an equation, read from its text.
fn parsed(equation: &str) -> (Vec<i128>, i128) {
    let (left, right) = equation.split_once(" = ").unwrap();
    let mut factors = vec![0; LETTERS.len()];
    for term in left.replace(" - ", " + -").split(" + ") {
        let (factor, letter) = term.split_at(term.len() - 1);
        let at = LETTERS.iter().position(|known| letter.starts_with(*known)).unwrap();
        assert_eq!(factors[at], 0, "{equation}");
        factors[at] = match factor {
            "" => 1,
            "-" => -1,
            factor => factor.parse().unwrap(),
        };
    }
    (factors, right.parse().unwrap())
}

/// The only solution, as numerators over denominators, by elimination in fractions; panics when there is none or many.
fn solved(equations: &str) -> Vec<(i128, i128)> {
    let mut rows: Vec<Vec<(i128, i128)>> = equations
        .lines()
        .map(|line| {
            let (factors, right) = parsed(line);
            let factors = &factors[..equations.lines().count()];
            factors.iter().chain([&right]).map(|value| (*value, 1)).collect()
        })
        .collect();
    let gcd = |mut a: i128, mut b: i128| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a.abs().max(1)
    };
    let less = |a: (i128, i128), b: (i128, i128), factor: (i128, i128)| {
        let (over, under) = (a.0 * b.1 * factor.1 - b.0 * factor.0 * a.1, a.1 * b.1 * factor.1);
        let common = gcd(over, under);
        (over / common, under / common)
    };
    for column in 0..rows.len() {
        let pivot = (column..rows.len()).find(|&row| rows[row][column].0 != 0).expect("one solution");
        rows.swap(column, pivot);
        for row in (0..rows.len()).filter(|&row| row != column) {
            let (a, b) = (rows[row][column], rows[column][column]);
            let factor = (a.0 * b.1, a.1 * b.0);
            for at in 0..rows[row].len() {
                rows[row][at] = less(rows[row][at], rows[column][at], factor);
            }
        }
    }
    let last = rows.len();
    rows.iter()
        .enumerate()
        .map(|(at, row)| (row[last].0 * row[at].1, row[last].1 * row[at].0))
        .map(|(over, under)| (over / gcd(over, under), under / gcd(over, under)))
        .collect()
}

#[test]
fn every_item_has_exactly_the_integer_solution() {
    for unknowns in [DEFAULT_UNKNOWNS, (2, 5)] {
        for puzzle in puzzles(&Settings { items: 1000, unknowns, ..Settings::default() }).unwrap() {
            let letter = puzzle.question.chars().nth("What is ".len()).unwrap();
            let at = LETTERS.iter().position(|known| *known == letter).unwrap();
            let (over, under) = solved(&puzzle.equations)[at];
            assert_eq!(over, i128::from(puzzle.answer) * under, "{puzzle:?}");
            assert!(puzzle.answer.abs() <= MAX_SOLUTION);
            for (_, right) in puzzle.equations.lines().map(parsed) {
                assert!(right.abs() <= i128::from(MAX_RIGHT_SIDE), "{puzzle:?}");
            }
        }
    }
}

#[test]
fn only_digits_letters_and_signs_are_written() {
    for puzzle in puzzles(&Settings { items: 1000, unknowns: (2, 5), ..Settings::default() }).unwrap() {
        assert!(puzzle.equations.chars().all(|char| "0123456789ABCDE+-= \n".contains(char)), "{puzzle:?}");
        assert!(!puzzle.equations.contains(" 1A") && !puzzle.equations.contains("0A"), "{puzzle:?}");
        assert!(puzzle.equations.lines().all(|line| !line.starts_with('+')), "{puzzle:?}");
        assert_eq!(puzzle.question.len(), "What is A?".len());
    }
}

#[test]
fn the_seed_decides_and_the_number_of_items_does_not() {
    let of = |seed: u64, items: usize| puzzles(&Settings { items, seed, ..Settings::default() }).unwrap();
    assert_eq!(of(0, 150), of(0, 150));
    assert_eq!(of(0, 150)[..20], of(0, 20));
    let first: HashSet<String> = of(0, 150).into_iter().map(|puzzle| puzzle.equations).collect();
    assert_eq!(first.len(), 150);
    assert!(of(1, 150).iter().all(|puzzle| !first.contains(&puzzle.equations)));
}

#[test]
fn settings_that_leave_nothing_are_refused() {
    let with = |unknowns, coefficient| {
        puzzles(&Settings { unknowns, coefficient, ..Settings::default() }).unwrap_err().to_string()
    };
    assert_eq!(with((1, 3), 9), "--unknowns 1..3: expected a number or a range within 2..5");
    assert!(with((3, 2), 9).contains("--unknowns 3..2"));
    assert!(with((2, 6), 9).contains("--unknowns 2..6"));
    assert_eq!(with((2, 3), 0), "--coefficients 0: expected a number from 1 to 99");
}
