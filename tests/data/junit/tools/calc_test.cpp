#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#include <stdexcept>

static int add(int a, int b) { return a + b; }

TEST_CASE("adds", "[calc]") {
    SECTION("small") { REQUIRE(add(1, 1) == 2); }
    SECTION("wrong") { REQUIRE(add(2, 2) == 5); }
}

TEST_CASE("throws <&>", "[calc]") { throw std::runtime_error("no \"luck\""); }


TEST_CASE("passes") { CHECK(add(0, 0) == 0); }
