@test "adds" {
  [ $((1 + 1)) -eq 2 ]
}

@test "adds wrong & <loudly>" {
  echo "about to fail"
  printf '\033[31mred\033[0m\n'
  [ $((2 + 2)) -eq 5 ]
}

@test "is left out" {
  skip "not today"
}
