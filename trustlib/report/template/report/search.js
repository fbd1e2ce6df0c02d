(function () {
  "use strict";
  var box = document.getElementById("find"), words = document.getElementById("words");
  var found = document.getElementById("found"), all = found.textContent;
  var cards = Array.prototype.map.call(document.querySelectorAll("li.card"), function (card) {
    return { card: card, text: card.textContent.toLowerCase() };
  });
  function filter() {
    var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
    cards.forEach(function (one) {
      var fits = wanted.every(function (word) { return one.text.indexOf(word) >= 0; });
      one.card.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    found.textContent = wanted.length ? shown + " of " + all : all;
  }
  words.addEventListener("input", filter);
  box.hidden = false;
  filter();
})();
