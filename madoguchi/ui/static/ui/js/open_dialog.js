/* <button data-open="keys"> opens <dialog id="keys">. */

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-open]");
  if (button) document.getElementById(button.dataset.open)?.showModal();
});
