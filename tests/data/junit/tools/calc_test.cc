#include <gtest/gtest.h>
#include <iostream>
#include <stdexcept>

int add(int a, int b) { return a + b; }

TEST(Calc, Adds) { EXPECT_EQ(add(1, 1), 2); }

TEST(Calc, AddsWrong) {
  EXPECT_EQ(add(2, 2), 5) << "and says why";
  EXPECT_EQ(add(2, 3), 6);
}

TEST(Calc, Throws) { throw std::runtime_error("no luck"); }

TEST(Calc, Skips) { GTEST_SKIP() << "not today"; }

TEST(Calc, DISABLED_Later) { FAIL(); }

class Sizes : public testing::TestWithParam<int> {};
TEST_P(Sizes, Small) {
  RecordProperty("size", GetParam());
  EXPECT_LT(GetParam(), 3);
}
INSTANTIATE_TEST_SUITE_P(All, Sizes, testing::Values(1, 2, 3));
