//! RFC 6962: the vectors that came with its first implementation, and what its definitions say.

use aws_lc_rs::cipher::{AES_256, EncryptingKey, UnboundCipherKey};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::leaves;
use crate::proof::hash::{node_hash, plain_leaf};
use crate::proof::{
    Hash, Nodes, ProofError, SaltKey, Tree, consistency, inclusion, root_at, verify_consistency,
    verify_inclusion,
};

/// All leaves in memory, every node computed as the RFC defines it.
struct Plain(Vec<Hash>);

impl Nodes for Plain {
    fn node(&self, level: u32, index: u64) -> Result<Hash, ProofError> {
        let first = (index << level) as usize;
        Ok(defined(&self.0[first..first + (1 << level)]))
    }
}

/// MTH of RFC 6962, 2.1, word for word.
fn defined(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash(Sha256::digest([]).into()),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            let mut bytes = vec![1];
            bytes.extend(defined(left).0);
            bytes.extend(defined(right).0);
            Hash(Sha256::digest(bytes).into())
        }
    }
}

fn hex(text: &str) -> Hash {
    let byte = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    Hash(std::array::from_fn(byte))
}

fn rfc_leaves() -> Vec<Hash> {
    let datas: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    datas.iter().map(|data| plain_leaf(&[data])).collect()
}

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn roots_are_those_of_the_rfcs_implementation() {
    let mut tree = Tree::new();
    assert_eq!(tree.root(), hex(ROOTS[0]));
    for (leaf, root) in rfc_leaves().into_iter().zip(&ROOTS[1..]) {
        tree.push(leaf);
        assert_eq!(tree.root(), hex(root), "of {} leaves", tree.size());
    }
}

#[test]
fn a_path_is_that_of_the_rfcs_implementation() {
    let nodes = Plain(rfc_leaves());
    let path = inclusion(&nodes, 0, 8).unwrap();
    assert_eq!(
        path,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]
        .map(hex)
    );
    assert!(verify_inclusion(&nodes.0[0], 0, 8, &path, &hex(ROOTS[8])));
}

#[test]
fn every_small_tree_proves_every_leaf_and_every_beginning() {
    let nodes = Plain(leaves(70));
    for size in 1..=70 {
        let root = root_at(&nodes, size).unwrap();
        assert_eq!(root, defined(&nodes.0[..size as usize]));
        for index in 0..size {
            let path = inclusion(&nodes, index, size).unwrap();
            let leaf = &nodes.0[index as usize];
            assert!(verify_inclusion(leaf, index, size, &path, &root));
            assert!(!verify_inclusion(leaf, index ^ 1, size, &path, &root) || size == 1);
        }
        for old in 0..=size {
            let old_root = root_at(&nodes, old).unwrap();
            let path = consistency(&nodes, old, size).unwrap();
            assert!(verify_consistency((old, &old_root), (size, &root), &path));
            let wrong = Hash([1; 32]);
            assert!(!verify_consistency((old, &wrong), (size, &root), &path));
            assert!(old == 0 || !verify_consistency((old, &old_root), (size, &wrong), &path));
        }
    }
}

proptest! {
    /// Nothing that is not the path of this leaf in this tree passes for it.
    #[test]
    fn a_bent_path_proves_nothing(
        size in 2_u64..300, at: prop::sample::Index, bent: prop::sample::Index, bit in 0_usize..256,
    ) {
        let nodes = Plain(leaves(size));
        let root = root_at(&nodes, size).unwrap();
        let index = at.index(size as usize) as u64;
        let leaf = nodes.0[index as usize];
        let mut path = inclusion(&nodes, index, size).unwrap();
        prop_assert!(verify_inclusion(&leaf, index, size, &path, &root));
        let place = bent.index(path.len());
        path[place].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!verify_inclusion(&leaf, index, size, &path, &root));
        path.remove(place);
        prop_assert!(!verify_inclusion(&leaf, index, size, &path, &root));
    }

    #[test]
    fn rubbish_is_refused_without_a_panic(
        sizes: (u64, u64, u64), path in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let path: Vec<Hash> = path.into_iter().map(Hash).collect();
        let (index, old, new) = sizes;
        prop_assert!(!verify_inclusion(&Hash([2; 32]), index, new, &path, &Hash([3; 32])));
        prop_assert!(!verify_consistency((old, &Hash([2; 32])), (new, &Hash([3; 32])), &path));
    }

    /// What is laid out by hand is what the library makes of it.
    #[test]
    fn nodes_and_salts_are_sha_256(left: [u8; 32], right: [u8; 32], number: u64) {
        let mut bytes = vec![1];
        bytes.extend(left);
        bytes.extend(right);
        let defined: [u8; 32] = Sha256::digest(&bytes).into();
        prop_assert_eq!(node_hash(&Hash(left), &Hash(right)).0, defined);
        let key = UnboundCipherKey::new(&AES_256, &left).unwrap();
        let mut defined = u128::from(number).to_be_bytes();
        EncryptingKey::ecb(key).unwrap().encrypt(&mut defined).unwrap();
        prop_assert_eq!(SaltKey(left).salt(number), defined);
        let salts = SaltKey(left).salts(number).take(20);
        for (salt, number) in salts.zip((0..).map(|further| number.saturating_add(further))) {
            prop_assert_eq!(salt, SaltKey(left).salt(number));
        }
    }
}
