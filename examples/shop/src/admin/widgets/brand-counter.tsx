import { defineWidgetConfig } from '@medusajs/admin-sdk';
import { useState } from 'react';

const BrandCounter = () => {
  const [count, setCount] = useState(0);

  return (
    <section className="bg-ui-bg-base shadow-elevation-card-rest rounded-lg px-6 py-4">
      <h2 data-testid="brand-counter-title">Brands</h2>
      <button
        type="button"
        data-testid="brand-counter"
        onClick={() => setCount((current) => current + 1)}
      >
        Counted {count}
      </button>
    </section>
  );
};

export const config = defineWidgetConfig({
  zone: 'product.list.before',
});

export default BrandCounter;
