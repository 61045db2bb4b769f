use super::*;
use crate::model::kernels::multiplies_bf16;

/// Numbers between -1 and 1 without a pattern.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let hash = |index: u64| (seed << 32 | index).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    (0..count as u64).map(|index| hash(index * index + index) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// Rows that have another head's numbers before theirs.
fn rows(numbers: &[f32], size: usize) -> Rows<'_> {
    Rows { numbers, stride: size + 3, first: 3, size }
}

/// Those that this processor has.
fn products() -> Vec<Products> {
    let all = [Products::Floats, Products::Bfloat16];
    all.into_iter().filter(|products| *products == Products::Floats || multiplies_bf16()).collect()
}

fn compute(products: Products, [queries, keys, values]: [Rows; 3], scale: f32) -> Vec<f32> {
    let (mut head, mut scratch) = (Head::default(), Scratch::default());
    // The second time in memory that is not new.
    head.pack(products, values, values);
    head.pack(products, keys, values);
    let mut means = vec![0.0; queries.len() * values.size];
    for first in (0..queries.len()).step_by(QUERIES) {
        attend(queries, first, scale, &head, &mut scratch, &mut |query, mean| {
            let row = &mut means[(first + query) * values.size..][..values.size];
            row.copy_from_slice(mean);
        });
    }
    means
}

/// As the equation says.
fn naive([queries, keys, values]: [Rows; 3], scale: f32) -> Vec<f64> {
    let mean = |query: usize| {
        let weight = |key: usize| {
            let products = queries.row(query).iter().zip(keys.row(key));
            (products.map(|(q, k)| f64::from(*q) * f64::from(*k)).sum::<f64>() * f64::from(scale)).exp()
        };
        let weights: Vec<f64> = (0..keys.len()).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        (0..values.size)
            .map(move |number| {
                let value = |key: usize| f64::from(values.row(key)[number]);
                weights.iter().enumerate().map(|(key, weight)| weight * value(key)).sum::<f64>() / sum
            })
            .collect::<Vec<_>>()
    };
    (0..queries.len()).flat_map(mean).collect()
}

#[test]
fn means_are_near_the_equation() {
    for (queries, keys, size, value) in
        [(1, 1, 1, 1), (13, 13, 5, 5), (33, 9, 8, 3), (40, 50, 72, 20), (3, 531, 64, 9), (20, 70, 17, 64)]
    {
        let [q, k, v] = [(1, queries, size), (2, keys, size), (3, keys, value)]
            .map(|(seed, count, size)| numbers(seed, count * (size + 3)));
        let inputs = [rows(&q, size), rows(&k, size), rows(&v, value)];
        let expected = naive(inputs, 0.7);
        for products in products() {
            let found = compute(products, inputs, 0.7);
            let differences = found.iter().zip(&expected);
            let differences = differences.map(|(found, expected)| (f64::from(*found) - expected).abs());
            let largest = differences.fold(0.0, f64::max);
            let (least, most) = match products {
                Products::Floats => (0.0, 2e-6),
                // Nothing was rounded if it is less.
                Products::Bfloat16 => (1e-5, 1e-2),
            };
            assert!(
                (least..most).contains(&largest),
                "{products:?}, {queries} {keys} {size} {value}: {largest}"
            );
        }
    }
}

#[test]
fn a_query_has_the_same_bits_alone_and_in_company() {
    let (length, size) = (150, 8);
    let [q, k, v] = [4, 5, 6].map(|seed| numbers(seed, length * (size + 3)));
    let [queries, keys, values] = [&q, &k, &v].map(|numbers| rows(numbers, size));
    for products in products() {
        let all = compute(products, [queries, keys, values], 0.3);
        for first in [0, 5, 37, 149] {
            let some = Rows { numbers: &q[first * (size + 3)..], ..queries };
            assert_eq!(all[first * size..], compute(products, [some, keys, values], 0.3));
        }
    }
}

#[test]
fn what_is_no_number_passes_and_stays_in_its_row_and_column() {
    let (length, size) = (35, 4);
    let [mut q, k, mut v] = [7, 8, 9].map(|seed| numbers(seed, length * (size + 3)));
    q[33 * (size + 3) + 3] = f32::NAN;
    v[3 + 2] = f32::NAN;
    for products in products() {
        let means = compute(products, [&q, &k, &v].map(|numbers| rows(numbers, size)), 1.0);
        for (at, mean) in means.into_iter().enumerate() {
            assert_eq!(mean.is_nan(), at / size == 33 || at % size == 2, "{products:?} {at}");
        }
    }
}
