export interface NewBrand {
  name: string;
  country?: string;
  product_ids?: string[];
}

export interface BrandCreatedEvent {
  id: string;
}
