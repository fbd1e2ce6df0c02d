(function () {
  "use strict";
  var box = document.getElementById("find"), words = document.getElementById("words");
  var found = document.getElementById("found"), all = found.textContent;
  var promised = document.getElementById("promised");
  function listed(what) {
    return Array.prototype.map.call(document.querySelectorAll(what), function (one) {
      return { item: one, text: one.textContent.toLowerCase() };
    });
  }
  var cards = listed("li.card"), actions = listed("li.action");
  function fitting(items, wanted) {
    return items.filter(function (one) {
      var fits = wanted.every(function (word) { return one.text.indexOf(word) >= 0; });
      one.item.hidden = !fits;
      return fits;
    }).length;
  }
  function filter() {
    var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = fitting(cards, wanted), open = fitting(actions, wanted);
    if (promised) promised.hidden = !open;
    found.textContent = wanted.length ? shown + " of " + all : all;
  }
  words.addEventListener("input", filter);
  box.hidden = false;
  filter();
})();
