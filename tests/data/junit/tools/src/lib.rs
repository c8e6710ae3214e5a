pub fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::add;

    #[test]
    fn adds() {
        assert_eq!(add(1, 1), 2);
    }

    #[test]
    fn adds_wrong() {
        println!("about to fail");
        assert_eq!(add(2, 2), 5, "two & two");
    }

    #[test]
    fn passes_at_last() {
        let marker = std::env::temp_dir().join("shop-passes-at-last");
        if !marker.exists() {
            std::fs::write(&marker, "").unwrap();
            panic!("not yet");
        }
    }

    #[test]
    #[ignore]
    fn is_left_out() {}
}
