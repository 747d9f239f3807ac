export function register(): void {
  performance.mark('shop:instrumented');
}
