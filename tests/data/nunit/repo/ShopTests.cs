using System;
using NUnit.Framework;

namespace Shop.Tests
{
    [TestFixture]
    public class Calc
    {
        [Test]
        public void Adds()
        {
            Assert.AreEqual(2, 1 + 1);
        }

        [Test]
        public void AddsWrong()
        {
            Console.WriteLine("about to fail");
            Assert.AreEqual(5, 2 + 2, "two & two");
        }

        [Test]
        public void Throws()
        {
            throw new InvalidOperationException("no luck <&>");
        }

        [Test, Ignore("not today")]
        public void IsLeftOut()
        {
        }

        [Test]
        public void IsInconclusive()
        {
            Assert.Inconclusive("cannot say");
        }

        [Test]
        public void CannotRun(int missing)
        {
        }

        [TestCase(1)]
        [TestCase(3)]
        public void Sizes(int size)
        {
            Assert.Less(size, 3);
        }

        [Test, Explicit]
        public void OnlyWhenAsked()
        {
        }
    }

    [TestFixture]
    public class Database
    {
        [TestFixtureSetUp]
        public void Connect()
        {
            throw new InvalidOperationException("no database");
        }

        [Test]
        public void Reads()
        {
        }
    }

    [TestFixture]
    public class Files
    {
        [TestFixtureTearDown]
        public void Close()
        {
            throw new InvalidOperationException("cannot close");
        }

        [Test]
        public void Writes()
        {
        }
    }
}
